import { z } from 'zod'
import { workingFiles } from '../config/layers.ts'
import type { Flag } from '../config/load.ts'
import { providersOf } from '../config/secrets.ts'
import { ReeveError } from '../core/errors.ts'
import type { RunId } from '../core/ids.ts'
import type { Json } from '../core/json.ts'
import type { Role } from '../core/role.ts'
import { isFinished } from '../core/run.ts'
import type { Settings } from '../core/settings.ts'
import { TASK_KINDS, type Task } from '../core/task.ts'
import type { RunOptions } from '../steps/options.ts'
import type { Store } from '../store/open.ts'
import type { Project } from '../workspace/port.ts'
import { resolveCommit, showFile } from '../workspace/revisions.ts'
import { type Context, projectOf, settingsOf } from './context.ts'
import { operation } from './operation.ts'
import { projectInput, runInput, runViewSchema } from './shapes.ts'
import { readTaskFiles } from './task-file.ts'
import { inDependencyOrder, taskFromSentence } from './tasks.ts'
import { viewOf } from './views.ts'

const choices = {
  workflow: z.string().optional().describe("The workflow; else the task's own, else [runs] workflow."),
  provider: z.string().optional().describe('Asked first; else the configured order.'),
  autonomy: z.enum(['manual', 'supervised', 'autonomous']).optional(),
  max_attempts: z.int().optional(),
  land: z.enum(['none', 'branch', 'merge', 'squash']).optional().describe('How a green run lands by itself.'),
  timeout_minutes: z.number().optional(),
  base: z.string().optional().describe('Branch or commit to begin from.'),
}

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

const submitted = z.object({ runs: z.array(runViewSchema), warnings: z.array(z.string()) })

export const runsSubmit = operation({
  name: 'runs.submit',
  summary: 'Queues a run for each task: a sentence, or the tasks of files.',
  permission: 'runs:write',
  effect: 'write',
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
  summary: 'Queues a fresh run of the same task, from the base and with the settings of now.',
  permission: 'runs:write',
  effect: 'write',
  input: z.object({ run: runInput, ...choices }),
  output: submitted,
  async handler(context, input) {
    const store = await context.store()
    const row = await store.findRun(input.run)
    if (!isFinished(row.state)) {
      throw new ReeveError('wrong_state', {
        run: row.id,
        status: row.state,
        action: 'retry',
        allowed: 'a run that has ended; to go on with this one: reeve resume',
      })
    }
    const task = withChoices(row.task, input)
    return submitAll(context, {
      project: row.project,
      tasks: [task],
      choices: { ...input, workflow: input.workflow ?? row.workflow },
      retryOf: row.id,
    })
  },
})

type Choices = { [K in keyof typeof choices]?: z.output<(typeof choices)[K]> | undefined }

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
async function submitAll(context: Context, wanted: Wanted): Promise<z.input<typeof submitted>> {
  const project = await projectOf(context, wanted.project)
  const { settings, base, warnings } = await resolveSettings(context, project, wanted.choices)
  const roles = await context.kit.roles(project, base)
  for (const task of wanted.tasks) {
    checkTask(context, task, settings, roles)
    await checkProviders(context, project, task, settings)
  }

  const store = await context.store()
  const before = await runsOutside(store, project, wanted.tasks)
  const runs: Awaited<ReturnType<Store['submit']>>['row'][] = []
  const made = new Map<string, RunId>(before)
  for (const task of wanted.tasks) {
    const { row } = await store.submit({
      task,
      project: project.root,
      workflow: task.workflow ?? settings.runs.workflow,
      options: optionsFor(context, task, settings, base, wanted) as unknown as { [key: string]: Json },
      dependsOn: task.depends_on.map((it) => made.get(it) ?? ''),
      ...(wanted.key === undefined ? {} : { clientKey: wanted.tasks.length === 1 ? wanted.key : `${wanted.key}/${task.id}` }),
    })
    made.set(task.id, row.id)
    runs.push(row)
  }
  return { runs: await Promise.all(runs.map((it) => viewOf(context, store, it))), warnings }
}

function optionsFor(context: Context, task: Task, settings: Settings, base: string, wanted: Wanted): RunOptions {
  const minutes = wanted.choices.timeout_minutes ?? task.budget?.minutes ?? settings.runs.timeout_minutes
  return {
    settings,
    base,
    actor: context.actor,
    timeoutMs: minutes * 60_000,
    ...(wanted.retryOf === undefined ? {} : { retryOf: wanted.retryOf }),
  }
}

/**
 * Settings and base of runs. They come from the user's own checkout, as it is: no agent can write there. With a base that was named, they
 * come from that commit, since its commands may be others; what it does not have, from the checkout.
 */
async function resolveSettings(
  context: Context,
  project: Project,
  choices: Choices,
): Promise<{ settings: Settings; base: string; warnings: string[] }> {
  const flags = flagsOf(choices)
  const here = await settingsOf(context, project.root, { flags })
  const base = await resolveCommit(project, choices.base ?? here.settings.project.base ?? 'HEAD')
  if (choices.base === undefined || base === project.head) return { settings: here.settings, base, warnings: here.warnings }
  const working = workingFiles(project.root)
  const readProjectFile = async (path: string) => (await showFile(project, base, path)) ?? working(path)
  const there = await settingsOf(context, project.root, { flags, readProjectFile })
  return { settings: there.settings, base, warnings: there.warnings }
}

function flagsOf(choices: Choices): Flag[] {
  const all: [string, string, string | number | undefined][] = [
    ['runs.autonomy', '--autonomy', choices.autonomy],
    ['runs.max_attempts', '--max-attempts', choices.max_attempts],
    ['runs.land', '--land', choices.land],
    ['runs.timeout_minutes', '--timeout', choices.timeout_minutes],
  ]
  return all.flatMap(([key, name, value]) => (value === undefined ? [] : [{ key, name, value }]))
}

/** What can be known to fail before it starts is refused before it starts. */
function checkTask(context: Context, task: Task, settings: Settings, roles: ReadonlyMap<string, Role>): void {
  const workflow = task.workflow ?? settings.runs.workflow
  if (!context.workflows.includes(workflow)) throw new ReeveError('workflow_not_found', { workflow, known: context.workflows.join(', ') })
  if (!roles.has(task.role)) throw new ReeveError('role_not_found', { role: task.role, known: [...roles.keys()].toSorted().join(', ') })
}

/** At least one of the providers that would be asked must be usable as configured. Asks nobody over the network. */
async function checkProviders(context: Context, project: Project, task: Task, settings: Settings): Promise<void> {
  const providers = providersOf(settings)
  if (providers.length === 0) throw new ReeveError('no_provider')
  const known = providers.map(([name]) => name)
  if (task.provider !== undefined && !known.includes(task.provider)) {
    throw new ReeveError('provider_not_found', { provider: task.provider, known: known.join(', ') })
  }
  const { createProvider } = await import('../models/create.ts')
  let first: unknown
  for (const [name, it] of providers.filter(([name]) => task.provider === undefined || name === task.provider)) {
    try {
      await createProvider(name, it, { env: context.env, projectRoot: project.root, clock: context.clock })
      return
    } catch (error) {
      first ??= error
    }
  }
  throw first
}

/** Runs of earlier submissions that these tasks depend on: the newest of each name in this project. */
async function runsOutside(store: Store, project: Project, tasks: readonly Task[]): Promise<Map<string, RunId>> {
  const here = new Set(tasks.map((it) => it.id))
  const wanted = tasks.flatMap((task) => task.depends_on.filter((it) => !here.has(it)).map((it) => [task.id, it] as const))
  const found = new Map<string, RunId>()
  if (wanted.length === 0) return found
  // Enough to reach back over months of one project's runs.
  const rows = await store.listRuns({ project: project.root, limit: 10_000 })
  for (const [task, name] of wanted) {
    const row = rows.find((it) => it.task.id === name)
    if (!row) {
      throw new ReeveError('invalid_task', {
        where: `task "${task}"`,
        problem: `depends_on names "${name}", which is no task of these files and has no run in this project`,
      })
    }
    found.set(name, row.id)
  }
  return found
}
