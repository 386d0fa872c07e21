import { z } from 'zod'
import { keyVariables } from '../config/secrets.ts'
import { ReeveError } from '../core/errors.ts'
import type { RunEvent } from '../core/event.ts'
import { newRunId } from '../core/ids.ts'
import type { IsolationLevel } from '../core/isolation.ts'
import type { Json } from '../core/json.ts'
import { isFinished } from '../core/run.ts'
import { type SandboxSettings, type Settings, settingsSchema } from '../core/settings.ts'
import { cassetteFile } from '../models/recording/recorder.ts'
import { type RunOptions, runOptionsSchema } from '../steps/options.ts'
import type { Store } from '../store/open.ts'
import type { RunRow } from '../store/port.ts'
import { exists } from '../workspace/nested.ts'
import { openProject } from '../workspace/project.ts'
import { resolveCommit } from '../workspace/revisions.ts'
import { type Context, runNamed } from './context.ts'
import { levelForTasks } from './isolation.ts'
import { operation } from './operation.ts'
import { runInput, runViewSchema } from './shapes.ts'
import { checkProviders, checkTask, choices, privilegedChoice, resolveSettings } from './submit-checks.ts'
import { viewOf } from './views.ts'

/** Name of the provider that stands for a run's recording. */
const RECORDING = 'recording'

export const runsReplay = operation({
  name: 'runs.replay',
  route: 'POST /api/v1/runs/{run}/replay',
  summary: 'Queues a run that does a past one again from one of its steps: with another provider, or with its own recording.',
  permission: 'runs:write',
  effect: 'write',
  privileged: privilegedChoice,
  input: z.object({
    run: runInput,
    from: z.string().optional().describe('Step to begin with; what was done before is taken over. Absent: from the start.'),
    provider: choices.provider.describe('Who works from there on. Absent: the recording answers what was answered then.'),
    record: choices.record,
    accept_isolation: choices.accept_isolation,
    trust: choices.trust,
  }),
  output: z.object({ runs: z.array(runViewSchema), warnings: z.array(z.string()), kept: z.int() }),
  async handler(context, input) {
    const store = await context.store()
    const past = await runNamed(context, store, input.run)
    if (!isFinished(past.state)) {
      const allowed = 'a run that has ended; to go on with this one: reeve resume'
      throw new ReeveError('wrong_state', { run: past.id, status: past.state, action: 'replay', allowed })
    }
    const then = runOptionsSchema.parse(past.options)
    const project = await openProject(past.project)
    // A recording does nothing that anybody would have to agree to.
    const now = input.provider === undefined ? null : await resolveSettings(context, project, { ...input, base: then.base })
    const settings = {
      ...then.settings,
      runs: { ...then.settings.runs, record: input.record ?? false },
      sandbox: accepting(then.settings.sandbox, input.accept_isolation),
      ...(await whoWorks(context, past, now?.settings ?? null)),
    }
    const provider = input.provider ?? RECORDING
    const task = { ...past.task, provider }
    const roles = await context.kit.roles(project, then.base)
    await checkTask(context, { project, base: then.base, task, settings, roles })
    await checkProviders(context, project, task, settings)
    const kept = input.from === undefined ? null : await before(store, past, input.from)
    if (kept !== null) await checkThere(context, past, kept.commit)
    const isolation = await levelForTasks(context, { settings, roles, tasks: [task] })

    const options: RunOptions = {
      ...then,
      settings,
      isolation,
      actor: context.actor,
      variables: keyVariables(settings, context.env),
      replayOf: past.id,
      ...(kept?.commit == null ? {} : { begin: kept.commit }),
    }
    const id = newRunId(context.clock.now())
    // Before it is there: the daemon may begin it as soon as it is.
    context.host.adopt([id])
    const { row } = await store.submit({
      id,
      task,
      project: past.project,
      workflow: past.workflow,
      options: options as unknown as { [key: string]: Json },
      ...(kept === null ? {} : { kept: { run: past.id, steps: kept.steps } }),
    })
    return { runs: [await viewOf(context, store, row)], warnings: now?.warnings ?? [], kept: kept?.steps.length ?? 0 }
  },
})

/** The settings of then decide everything but who works: those providers are the ones of now, or (null) the recording alone. */
async function whoWorks(context: Context, past: RunRow, now: Settings | null): Promise<Pick<Settings, 'providers' | 'routing'>> {
  if (now !== null) return { providers: now.providers, routing: now.routing }
  if (!(await exists(cassetteFile(context.kit.evidenceDir, past.id)))) throw new ReeveError('not_recorded', { run: past.id })
  const { providers } = settingsSchema.parse({ providers: { order: [RECORDING], [RECORDING]: { kind: 'replay', file: past.id } } })
  return { providers, routing: { roles: {} } }
}

/** Who accepts none at all wants none. */
function accepting(sandbox: SandboxSettings, accepted: IsolationLevel | undefined): SandboxSettings {
  if (accepted === undefined) return sandbox
  return { ...sandbox, minimum: accepted, ...(accepted === 'none' ? { level: accepted } : {}) }
}

interface Before {
  /** Names of the steps whose results are taken over. */
  steps: string[]
  /** The last checkpoint before the step; null: the files were as in the base. */
  commit: string | null
}

/** What a run had done when a step began for the first time. Throws `step_not_found`. */
async function before(store: Store, past: RunRow, from: string): Promise<Before> {
  const events = await store.eventsOfType(past.id, ['step.started', 'step.finished', 'checkpoint.made', 'approval.given'])
  const begun = events.filter((it) => it.type === 'step.started')
  const first = begun.find((it) => textOf(it, 'step') === from)
  if (!first) {
    const known = [...new Set(begun.filter((it) => it.data['kind'] !== 'workspace').map((it) => textOf(it, 'step')))]
    throw new ReeveError('step_not_found', { run: past.id, step: from, known: known.join(', ') })
  }
  const earlier = events.filter((it) => it.seq < first.seq)
  const done = new Set(
    earlier.flatMap((it) => {
      if (it.type === 'approval.given') return [textOf(it, 'what')]
      return it.type === 'step.finished' && it.data['kind'] !== 'workspace' ? [textOf(it, 'step')] : []
    }),
  )
  const checkpoint = earlier.findLast((it) => it.type === 'checkpoint.made')
  const journaled = (await store.steps(past.id)).map((it) => it.name)
  return { steps: journaled.filter((it) => done.has(it)), commit: checkpoint === undefined ? null : textOf(checkpoint, 'commit') }
}

function textOf(event: RunEvent, key: string): string {
  const value = event.data[key]
  return typeof value === 'string' ? value : ''
}

/** Commits of a run that was cleaned and never landed are gone. */
async function checkThere(context: Context, past: RunRow, commit: string | null): Promise<void> {
  if (commit === null) return
  const project = await openProject(past.project)
  const found = await resolveCommit(project, commit).catch(() => null)
  if (found === null)
    throw new ReeveError('environment', {
      problem: `The commits of run ${past.id} are gone from the repository: it can be replayed from the start only.`,
    })
}
