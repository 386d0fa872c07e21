import { ReeveError } from '../core/errors.ts'
import { taskIdFrom } from '../core/ids.ts'
import { type Task, type TaskKind, taskSchema } from '../core/task.ts'
import { sentence } from './invoke.ts'
import { joined } from './task-file.ts'

const TITLE = 80 // a commit subject and a line of `reeve ls` hold it

/** A plain sentence as a task: its first line is the title. `suffix` keeps ids of equal sentences apart. */
export function taskFromSentence(text: string, suffix: string, kind: TaskKind = 'feature', role?: string): Task {
  const description = text.trim()
  if (description === '')
    throw new ReeveError('invalid_input', {
      problem: 'The task is empty. Say what is wanted, for example: reeve run "Add a --json flag to the export command"',
    })
  const [line = ''] = description.split('\n')
  const title = line.length > TITLE ? `${line.slice(0, TITLE - 1).trimEnd()}…` : line.trim()
  const result = taskSchema.safeParse({
    id: `${taskIdFrom(title)}-${suffix}`,
    title,
    description,
    kind,
    ...(role === undefined ? {} : { role }),
  })
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw new ReeveError('invalid_task', {
    where: 'task',
    problem: issue ? `${issue.path.join('.')} ${joined(sentence(issue))}` : 'cannot be used',
  })
}

/**
 * Tasks in an order in which each comes after those it depends on, the given order where that is free. Throws `dependency_cycle` with the
 * circle's names. Names that are not among the tasks are left to the caller.
 */
export function inDependencyOrder(tasks: readonly Task[]): Task[] {
  const byId = new Map(tasks.map((it) => [it.id, it]))
  const done = new Set<string>()
  const ordered: Task[] = []
  for (const task of tasks) {
    // From a task down to what it needs, with a list and not by recursion: a chain may be as long as the files.
    const way: { task: Task; next: number }[] = done.has(task.id) ? [] : [{ task, next: 0 }]
    const onWay = new Set([task.id])
    for (let top = way.at(-1); top !== undefined; top = way.at(-1)) {
      const id = top.task.depends_on[top.next++]
      const needed = id === undefined || done.has(id) ? undefined : byId.get(id)
      if (needed !== undefined) {
        if (onWay.has(needed.id)) throw circle(way, needed.id)
        onWay.add(needed.id)
        way.push({ task: needed, next: 0 })
      }
      if (id !== undefined) continue
      way.pop()
      onWay.delete(top.task.id)
      done.add(top.task.id)
      ordered.push(top.task)
    }
  }
  return ordered
}

function circle(way: readonly { task: Task }[], again: string): ReeveError {
  const names = way.map((it) => it.task.id)
  return new ReeveError('dependency_cycle', { cycle: [...names.slice(names.indexOf(again)), again].join(' -> ') })
}
