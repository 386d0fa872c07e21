import { posix } from 'node:path'
import { z } from 'zod'
import { refusal } from '../access/permissions.ts'
import { workingFiles } from '../config/layers.ts'
import type { Flag, Loaded } from '../config/load.ts'
import { providersOf } from '../config/secrets.ts'
import { isOwner } from '../core/actor.ts'
import { ReeveError } from '../core/errors.ts'
import type { RunId } from '../core/ids.ts'
import { atLeast, ISOLATION_LEVELS, type IsolationLevel } from '../core/isolation.ts'
import { canonicalJson } from '../core/json.ts'
import type { Role } from '../core/role.ts'
import { isCliKind, type Settings } from '../core/settings.ts'
import type { Task } from '../core/task.ts'
import type { Store } from '../store/open.ts'
import { tryGit } from '../workspace/git.ts'
import type { Project } from '../workspace/port.ts'
import { resolveCommit, showFile } from '../workspace/revisions.ts'
import { type Context, settingsOf } from './context.ts'
import { checkTrust } from './trust.ts'

/** What a caller may choose for runs besides their tasks; it wins over tasks and settings. */
export const choices = {
  workflow: z.string().optional().describe("The workflow; else the task's own, else [runs] workflow."),
  provider: z.string().optional().describe('Asked first; else the configured order.'),
  autonomy: z.enum(['manual', 'supervised', 'autonomous']).optional(),
  max_attempts: z.int().optional(),
  max_usd: z.number().optional().describe('Budget of the run in US dollars.'),
  max_tokens: z.int().optional().describe('Budget of the run in tokens.'),
  land: z.enum(['none', 'branch', 'merge', 'squash']).optional().describe('How a green run lands by itself.'),
  timeout_minutes: z.number().optional(),
  record: z.boolean().optional().describe('Keep every exchange with a provider, so that the run can be replayed.'),
  base: z.string().optional().describe('Branch or commit to begin from.'),
  accept_isolation: z
    .enum(ISOLATION_LEVELS)
    .optional()
    .describe('The lowest level of isolation that is accepted; "none": no sandbox at all.'),
  trust: z.boolean().optional().describe("Let the project's providers do what its reeve.toml says of them, this time."),
}

/** What lets code of strangers do more than the settings allow is for an admin to say. */
export function privilegedChoice(input: { accept_isolation?: IsolationLevel | undefined; trust?: boolean | undefined }): string | null {
  if (input.trust === true) return 'trust what a project says of its providers'
  const accepted = input.accept_isolation
  return accepted !== undefined && !atLeast(accepted, 'os-sandbox') ? `accept the isolation "${accepted}"` : null
}

export type Choices = { [K in keyof typeof choices]?: z.output<(typeof choices)[K]> | undefined }

/**
 * Settings and base of runs. They come from the user's own checkout, as it is: no agent can write there. With a base that was named, they
 * come from that commit, since its commands may be others; what it does not have, from the checkout.
 */
export async function resolveSettings(
  context: Context,
  project: Project,
  choices: Choices,
): Promise<{ settings: Settings; base: string; warnings: string[] }> {
  if (!isOwner(context.caller)) await mustNotLift(context, project, choices)
  const { settings, base, warnings, consents } = await loadFor(context, project, choices)
  if (choices.trust !== true) await checkTrust(context, project.root, consents)
  return { settings, base, warnings }
}

const BUDGETS = ['max_usd', 'max_tokens'] as const

/** Whoever is not the owner of this machine may use less than its settings say, not more. Throws `forbidden`. */
async function mustNotLift(context: Context, project: Project, choices: Choices): Promise<void> {
  const asked = BUDGETS.filter((it) => choices[it] !== undefined)
  if (asked.length === 0) return
  const { settings } = await settingsOf(context, project.root)
  const lifted = asked.find((it) => (choices[it] ?? 0) > (settings.runs[it] ?? Number.POSITIVE_INFINITY))
  if (lifted !== undefined) throw refusal(context.caller, `lift runs.${lifted} above ${settings.runs[lifted]}`, 'an admin of all projects')
}

async function loadFor(context: Context, project: Project, choices: Choices): Promise<Loaded & { base: string }> {
  const flags = flagsOf(choices)
  const here = await settingsOf(context, project.root, { flags })
  const base = await resolveCommit(project, choices.base ?? here.settings.project.base ?? 'HEAD')
  if (choices.base === undefined || base === project.head) return { ...here, base }
  const working = workingFiles(project.root)
  const readProjectFile = async (path: string) => (await showFile(project, base, path)) ?? working(path)
  const there = await settingsOf(context, project.root, { flags, readProjectFile })
  if (!isOwner(context.caller) && whoAnswers(there.settings) !== whoAnswers(here.settings))
    throw refusal(
      context.caller,
      `begin from ${base.slice(0, 12)}, which sets other providers than the checkout`,
      'an admin of all projects',
    )
  return { ...there, base }
}

/** Where this machine sends requests, by which programs, and what they are counted at. A commit may be the work of anybody, agents among them. */
function whoAnswers({ providers, prices }: Settings): string {
  return canonicalJson({ providers, prices })
}

const NO_SANDBOX = '--i-understand-no-sandbox'

function flagsOf(choices: Choices): Flag[] {
  const all: [string, string, string | number | boolean | undefined][] = [
    ['runs.record', '--record', choices.record],
    ['runs.autonomy', '--autonomy', choices.autonomy],
    ['runs.max_attempts', '--max-attempts', choices.max_attempts],
    ['runs.max_usd', '--max-usd', choices.max_usd],
    ['runs.max_tokens', '--max-tokens', choices.max_tokens],
    ['runs.land', '--land', choices.land],
    ['runs.timeout_minutes', '--timeout', choices.timeout_minutes],
    ['sandbox.minimum', choices.accept_isolation === 'none' ? NO_SANDBOX : '--accept-isolation', choices.accept_isolation],
    // Who accepts none at all wants none.
    ['sandbox.level', NO_SANDBOX, choices.accept_isolation === 'none' ? 'none' : undefined],
  ]
  return all.flatMap(([key, name, value]) => (value === undefined ? [] : [{ key, name, value }]))
}

export interface TaskCheck {
  project: Project
  base: string
  task: Task
  settings: Settings
  roles: ReadonlyMap<string, Role>
}

/** What can be known to fail before it starts is refused before it starts. */
export async function checkTask(context: Context, { project, base, task, settings, roles }: TaskCheck): Promise<void> {
  const workflow = task.workflow ?? settings.runs.workflow
  if (!context.workflows.includes(workflow)) throw new ReeveError('workflow_not_found', { workflow, known: context.workflows.join(', ') })
  if (!roles.has(task.role)) throw new ReeveError('role_not_found', { role: task.role, known: [...roles.keys()].toSorted().join(', ') })
  if (task.target_dir !== undefined) await checkFolder(project, base, task.target_dir)
}

async function checkFolder(project: Project, base: string, path: string): Promise<void> {
  const plain = posix.normalize(path).replace(/\/$/, '')
  if (plain === '.') return
  const refuse = (problem: string) => new ReeveError('path_refused', { path, problem })
  if (posix.isAbsolute(plain) || plain === '..' || plain.startsWith('../'))
    throw refuse('target_dir must be a folder inside the repository')
  const found = await tryGit({ gitDir: project.gitDir }, ['cat-file', '-t', `${base}:${plain}`])
  if (found.stdout.trim() !== 'tree') throw refuse(`there is no such folder at ${base.slice(0, 12)}`)
}

/** At least one of the providers that would be asked must be usable as configured. Asks nobody over the network. */
export async function checkProviders(context: Context, project: Project, task: Task, settings: Settings): Promise<void> {
  const providers = providersOf(settings)
  if (providers.length === 0) throw new ReeveError('no_provider')
  const known = providers.map(([name]) => name)
  if (task.provider !== undefined && !known.includes(task.provider)) {
    throw new ReeveError('provider_not_found', { provider: task.provider, known: known.join(', ') })
  }
  let first: unknown
  for (const name of known.filter((it) => task.provider === undefined || it === task.provider)) {
    try {
      await context.kit.agent(name, settings, project)
      await checkProgram(context, project, name, settings)
      return
    } catch (error) {
      first ??= error
    }
  }
  throw first
}

/** A program that is not here, or that nobody has logged in to, is no error before it is asked; what else it lacks, it says itself. */
async function checkProgram(context: Context, project: Project, name: string, settings: Settings): Promise<void> {
  const kind = providersOf(settings).find(([it]) => it === name)?.[1].kind ?? ''
  if (kind !== 'acp' && !isCliKind(kind)) return
  const { place, access, detail, hint } = await context.kit.inspect(name, settings, project, {
    ask: false,
    signal: new AbortController().signal,
  })
  if (place !== null && access !== 'missing') return
  throw new ReeveError('environment', { problem: `Provider "${name}": ${detail}${hint === null ? '' : ` ${hint}`}` })
}

/** Runs of earlier submissions that these tasks depend on: the newest of each name in this project. */
export async function runsOutside(store: Store, project: Project, tasks: readonly Task[]): Promise<Map<string, RunId>> {
  const here = new Set(tasks.map((it) => it.id))
  const wanted = tasks.flatMap((task) => task.depends_on.filter((it) => !here.has(it)).map((it) => [task.id, it] as const))
  const names = wanted.map(([, name]) => name)
  const found = await store.newestOfTasks(project.root, names)
  for (const [task, name] of wanted) {
    if (!found.has(name)) {
      throw new ReeveError('invalid_task', {
        where: `task "${task}"`,
        problem: `depends_on names "${name}", which is no task of these files and has no run in this project`,
      })
    }
  }
  return found
}
