import { z } from 'zod'
import { keyVariables } from '../config/secrets.ts'
import { ReeveError } from '../core/errors.ts'
import { newRunIds, type RunId } from '../core/ids.ts'
import type { Json } from '../core/json.ts'
import { TIME_FORM, timeOf } from '../core/not-before.ts'
import { isFinished } from '../core/run.ts'
import { TASK_KINDS, type Task } from '../core/task.ts'
import type { RunOptions } from '../steps/options.ts'
import type { SubmitRequest } from '../store/port.ts'
import { type Context, projectOf, runNamed } from './context.ts'
import { durationMs } from './durations.ts'
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
    .describe('Task files: YAML or JSON, with one or several tasks each; 512 KiB in all with an API key.'),
  kind: z.enum(TASK_KINDS).optional(),
  role: z.string().optional(),
  target_dir: z.string().optional().describe('A folder of the repository to work in.'),
  priority: z.int().min(-1000).max(1000).optional(),
  at: z.string().optional().describe('Not before this time, such as 2026-11-21T02:00 of this machine, or with Z or an offset.'),
  in: z.string().optional().describe('Not before so long from now: 30m, 2h, 1d, 1w.'),
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
    const chosen = { ...input, at: timeChosen(context, input) }
    const read = tasksOf(context, input)
    const tasks = inDependencyOrder(read.tasks.map((it) => withChoices(it, chosen)))
    // Restarts and retries have keys of their own, which no caller can take first.
    const key = input.key === undefined ? undefined : `key/${input.key}`
    const { runs, warnings } = await submitAll(context, { project: input.project, tasks, choices: input, key })
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

// A longer one is a slip.
const LONGEST_MS = 3653 * 86_400_000

/** `at` as it was given, or the time that `in` means. */
function timeChosen(context: Context, { at, in: after }: Pick<z.output<typeof submitInput>, 'at' | 'in'>): string | undefined {
  const refuse = (problem: string) => new ReeveError('invalid_input', { problem })
  if (at !== undefined && after !== undefined) throw refuse('There is "at" and "in"; give one of them.')
  if (at !== undefined && timeOf(at) === null) throw refuse(`at is "${at}"; allowed: ${TIME_FORM}`)
  if (after === undefined) return at
  const ms = durationMs(after)
  const time = ms === null || ms > LONGEST_MS ? null : new Date(context.clock.now() + ms).toISOString()
  if (time === null) throw refuse(`in is "${after}"; allowed: minutes, hours, days or weeks such as 30m, 2h, 1d and 1w, ten years at most`)
  return time
}

/** Their parser needs a second for this, and nobody else is answered meanwhile. The person at this machine holds up nobody but himself. */
const MOST_OF_KEYS = 512 * 1024

function tasksOf(context: Context, input: z.output<typeof submitInput>): { tasks: Task[]; warnings: string[] } {
  if (input.sentence === undefined && input.documents.length === 0) {
    throw new ReeveError('invalid_input', { problem: 'There is no task. Say what is wanted, or name a task file.' })
  }
  if (input.sentence !== undefined && input.documents.length > 0) {
    throw new ReeveError('invalid_input', { problem: 'There is a sentence and a task file; give one of them.' })
  }
  // A file takes its time however short it is.
  const characters = input.documents.reduce((sum, it) => sum + it.text.length + 256, 0)
  if (context.caller.kind === 'key' && characters > MOST_OF_KEYS) throw new ReeveError('body_too_large', { limit: MOST_OF_KEYS })
  if (input.sentence === undefined) return readTaskFiles(input.documents)
  return { tasks: [taskFromSentence(input.sentence, context.clock.now().toString(36).slice(-5), input.kind, input.role)], warnings: [] }
}

/** What the caller chose wins over what the file says. */
export function withChoices(task: Task, input: Partial<z.output<typeof submitInput>>): Task {
  return {
    ...task,
    ...(input.kind === undefined ? {} : { kind: input.kind }),
    ...(input.role === undefined ? {} : { role: input.role }),
    ...(input.target_dir === undefined ? {} : { target_dir: input.target_dir }),
    ...(input.priority === undefined ? {} : { priority: input.priority }),
    ...(input.at === undefined ? {} : { at: input.at }),
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
  /** Instead of `key` and `retryOf` where each task has its own. */
  each?: (task: Task) => { clientKey: string; retryOf: RunId }
}

/** Everything is checked before the first run is queued: all of them are, or none. */
export async function submitAll(context: Context, wanted: Wanted): Promise<z.input<typeof submitted>> {
  const project = await projectOf(context, wanted.project)
  const { settings, base, warnings } = await resolveSettings(context, project, wanted.choices)
  const roles = await context.kit.roles(project, base)
  // Tasks that say the same about where and by whom are one question: a thousand tasks must not ask a thousand times.
  for (const task of distinct(wanted.tasks, (it) => [it.workflow, it.role, it.target_dir]))
    await checkTask(context, { project, base, task, settings, roles })
  for (const task of distinct(wanted.tasks, (it) => [it.provider])) await checkProviders(context, project, task, settings)
  const asking = distinct(wanted.tasks, (it) => [it.workflow, it.role])
  const isolation = await levelForTasks(context, { settings, roles, tasks: asking })

  const store = await context.store()
  const made = new Map<string, RunId>(await runsOutside(store, project, wanted.tasks))
  const ids = newRunIds(context.clock.now(), wanted.tasks.length)
  wanted.tasks.forEach((task, at) => void made.set(task.id, ids[at] ?? ''))
  const found = { settings, base, isolation }
  const requests = wanted.tasks.map((task, at) =>
    requestFor(context, wanted, { task, id: ids[at] ?? '', project: project.root, found, made }),
  )
  // Before they are there: the daemon may begin one as soon as it is.
  context.host.adopt(ids)
  const rows = (await store.submitAll(requests)).map((it) => it.row)
  const others = rows.map((it) => it.id).filter((it, at) => it !== ids[at])
  if (others.length > 0) context.host.adopt(others)
  return { runs: await Promise.all(rows.map((it) => viewOf(context, store, it))), warnings }
}

/** The first task of each kind. */
function distinct(tasks: readonly Task[], kind: (task: Task) => unknown): Task[] {
  return [...new Map(tasks.toReversed().map((it) => [JSON.stringify(kind(it)), it])).values()]
}

interface ToSubmit {
  task: Task
  id: RunId
  project: string
  found: Pick<RunOptions, 'settings' | 'base' | 'isolation'>
  /** Task -> its run. */
  made: ReadonlyMap<string, RunId>
}

function requestFor(context: Context, wanted: Wanted, { task, id, project, found, made }: ToSubmit): SubmitRequest {
  const { clientKey, retryOf } = wanted.each?.(task) ?? { clientKey: keyFor(task, wanted), retryOf: wanted.retryOf }
  const runAt = task.at === undefined ? null : timeOf(task.at)
  return {
    id,
    task,
    project,
    workflow: task.workflow ?? found.settings.runs.workflow,
    options: optionsFor(context, task, found, { ...wanted, ...(retryOf === undefined ? {} : { retryOf }) }) as unknown as {
      [key: string]: Json
    },
    dependsOn: task.depends_on.map((it) => made.get(it) ?? ''),
    // Keys of one project mean nothing in another: whoever sees only one must not come upon a run of the other.
    ...(clientKey === undefined ? {} : { clientKey: `${project}\n${clientKey}` }),
    ...(runAt === null ? {} : { runAt }),
  }
}

function keyFor(task: Task, { key, tasks }: Wanted): string | undefined {
  return key === undefined || tasks.length === 1 ? key : `${key}/${task.id}`
}

function optionsFor(context: Context, task: Task, found: Pick<RunOptions, 'settings' | 'base' | 'isolation'>, wanted: Wanted): RunOptions {
  const minutes = wanted.choices.timeout_minutes ?? task.budget?.minutes ?? found.settings.runs.timeout_minutes
  return {
    ...found,
    actor: context.actor,
    variables: keyVariables(found.settings, context.env),
    timeoutMs: minutes * 60_000,
    ...(wanted.retryOf === undefined ? {} : { retryOf: wanted.retryOf }),
    ...(context.trace === undefined ? {} : { trace: context.trace }),
  }
}
