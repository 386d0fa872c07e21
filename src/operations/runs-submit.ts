import { z } from 'zod'
import { keyVariables } from '../config/secrets.ts'
import { ReeveError } from '../core/errors.ts'
import type { RunId } from '../core/ids.ts'
import type { Json } from '../core/json.ts'
import { isFinished } from '../core/run.ts'
import { TASK_KINDS, type Task } from '../core/task.ts'
import type { RunOptions } from '../steps/options.ts'
import type { Store } from '../store/open.ts'
import { type Context, projectOf, runNamed } from './context.ts'
import { levelForTasks } from './isolation.ts'
import { operation } from './operation.ts'
import { projectInput, runInput, runViewSchema } from './shapes.ts'
import { type Choices, checkProviders, checkTask, choices, privilegedChoice, resolveSettings, runsOutside } from './submit-checks.ts'
import { readTaskFiles } from './task-file.ts'
import { inDependencyOrder, taskFromSentence } from './tasks.ts'
import { viewOf } from './views.ts'

const submitInput = z.object({
  project: projectInput,
  sentence: z.string().optional().describe('What is wanted, in words; its first line is the title.'),
  documents: z
    .array(z.object({ name: z.string(), text: z.string() }))
    .default([])
    .describe('Task files: YAML or JSON, with one or several tasks each.'),
  kind: z.enum(TASK_KINDS).optional(),
  role: z.string().optional(),
  target_dir: z.string().optional().describe('A folder of the repository to work in.'),
  priority: z.int().optional(),
  ...choices,
  key: z.string().min(1).optional().describe('The same key a second time gives the run that is there already.'),
})

export const submitted = z.object({ runs: z.array(runViewSchema), warnings: z.array(z.string()) })

export const runsSubmit = operation({
  name: 'runs.submit',
  route: 'POST /api/v1/runs',
  summary: 'Queues a run for each task: a sentence, or the tasks of files.',
  permission: 'runs:write',
  effect: 'write',
  privileged: privilegedChoice,
  input: submitInput,
  output: submitted,
  async handler(context, input) {
    const read = tasksOf(context, input)
    const tasks = inDependencyOrder(read.tasks.map((it) => withChoices(it, input)))
    const { runs, warnings } = await submitAll(context, { project: input.project, tasks, choices: input, key: input.key })
    return { runs, warnings: [...read.warnings, ...warnings] }
  },
})

export const runsRetry = operation({
  name: 'runs.retry',
  route: 'POST /api/v1/runs/{run}/retry',
  summary: 'Queues a fresh run of the same task, from the base and with the settings of now.',
  permission: 'runs:write',
  effect: 'write',
  privileged: privilegedChoice,
  input: z.object({ run: runInput, ...choices }),
  output: submitted,
  async handler(context, input) {
    const store = await context.store()
    const row = await runNamed(context, store, input.run)
    if (!isFinished(row.state)) {
      throw new ReeveError('wrong_state', {
        run: row.id,
        status: row.state,
        action: 'retry',
        allowed: 'a run that has ended; to go on with this one: reeve resume',
      })
    }
    const chosen = { ...input, workflow: input.workflow ?? row.workflow }
    return submitAll(context, { project: row.project, tasks: [withChoices(row.task, chosen)], choices: chosen, retryOf: row.id })
  },
})

function tasksOf(context: Context, input: z.output<typeof submitInput>): { tasks: Task[]; warnings: string[] } {
  if (input.sentence === undefined && input.documents.length === 0) {
    throw new ReeveError('invalid_input', { problem: 'There is no task. Say what is wanted, or name a task file.' })
  }
  if (input.sentence !== undefined && input.documents.length > 0) {
    throw new ReeveError('invalid_input', { problem: 'There is a sentence and a task file; give one of them.' })
  }
  if (input.sentence === undefined) return readTaskFiles(input.documents)
  return { tasks: [taskFromSentence(input.sentence, context.clock.now().toString(36).slice(-5), input.kind, input.role)], warnings: [] }
}

/** What the caller chose wins over what the file says. */
function withChoices(task: Task, input: Partial<z.output<typeof submitInput>>): Task {
  return {
    ...task,
    ...(input.kind === undefined ? {} : { kind: input.kind }),
    ...(input.role === undefined ? {} : { role: input.role }),
    ...(input.target_dir === undefined ? {} : { target_dir: input.target_dir }),
    ...(input.priority === undefined ? {} : { priority: input.priority }),
    ...(input.provider === undefined ? {} : { provider: input.provider }),
    ...(input.workflow === undefined ? {} : { workflow: input.workflow }),
    ...(task.budget === undefined ? {} : { budget: budgetWith(task.budget, input) }),
  }
}

/** A budget that the caller chose is in the settings; the task's own must not hold the run below it. */
function budgetWith(budget: NonNullable<Task['budget']>, input: Partial<z.output<typeof submitInput>>): NonNullable<Task['budget']> {
  const { usd, tokens, ...rest } = budget
  return {
    ...rest,
    ...(usd === undefined || input.max_usd !== undefined ? {} : { usd }),
    ...(tokens === undefined || input.max_tokens !== undefined ? {} : { tokens }),
  }
}

interface Wanted {
  project: string | undefined
  /** Each after those it depends on. */
  tasks: readonly Task[]
  choices: Choices
  key?: string | undefined
  retryOf?: RunId
}

/** Everything is checked before the first run is queued: all of them are, or none. */
export async function submitAll(context: Context, wanted: Wanted): Promise<z.input<typeof submitted>> {
  const project = await projectOf(context, wanted.project)
  const { settings, base, warnings } = await resolveSettings(context, project, wanted.choices)
  const roles = await context.kit.roles(project, base)
  for (const task of wanted.tasks) {
    await checkTask(context, { project, base, task, settings, roles })
    await checkProviders(context, project, task, settings)
  }
  const isolation = await levelForTasks(context, { settings, roles, tasks: wanted.tasks })

  const store = await context.store()
  const before = await runsOutside(store, project, wanted.tasks)
  const runs: Awaited<ReturnType<Store['submit']>>['row'][] = []
  const made = new Map<string, RunId>(before)
  for (const task of wanted.tasks) {
    const { row } = await store.submit({
      task,
      project: project.root,
      workflow: task.workflow ?? settings.runs.workflow,
      options: optionsFor(context, task, { settings, base, isolation }, wanted) as unknown as { [key: string]: Json },
      dependsOn: task.depends_on.map((it) => made.get(it) ?? ''),
      ...(wanted.key === undefined ? {} : { clientKey: wanted.tasks.length === 1 ? wanted.key : `${wanted.key}/${task.id}` }),
    })
    context.host.adopt([row.id])
    made.set(task.id, row.id)
    runs.push(row)
  }
  return { runs: await Promise.all(runs.map((it) => viewOf(context, store, it))), warnings }
}

function optionsFor(context: Context, task: Task, found: Pick<RunOptions, 'settings' | 'base' | 'isolation'>, wanted: Wanted): RunOptions {
  const minutes = wanted.choices.timeout_minutes ?? task.budget?.minutes ?? found.settings.runs.timeout_minutes
  return {
    ...found,
    actor: context.actor,
    variables: keyVariables(found.settings, context.env),
    timeoutMs: minutes * 60_000,
    ...(wanted.retryOf === undefined ? {} : { retryOf: wanted.retryOf }),
  }
}
