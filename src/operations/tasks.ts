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
  const visit = (task: Task, above: readonly string[]): void => {
    if (done.has(task.id)) return
    const at = above.indexOf(task.id)
    if (at >= 0) throw new ReeveError('dependency_cycle', { cycle: [...above.slice(at), task.id].join(' -> ') })
    for (const id of task.depends_on) {
      const needed = byId.get(id)
      if (needed) visit(needed, [...above, task.id])
    }
    done.add(task.id)
    ordered.push(task)
  }
  for (const task of tasks) visit(task, [])
  return ordered
}
