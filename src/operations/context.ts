import { realpath } from 'node:fs/promises'
import { isAbsolute, normalize, resolve, sep } from 'node:path'
import type { Audit } from '../access/audit.ts'
import type { Env, Folders } from '../config/home.ts'
import { type Flag, type Loaded, loadSettings, type ReadProjectFile } from '../config/load.ts'
import { secretValues } from '../config/secrets.ts'
import { type Actor, maySee } from '../core/actor.ts'
import type { Clock } from '../core/clock.ts'
import { ReeveError } from '../core/errors.ts'
import type { RunId } from '../core/ids.ts'
import type { Redaction } from '../core/redact.ts'
import type { Kit } from '../steps/kit.ts'
import type { Store } from '../store/open.ts'
import type { RunRow } from '../store/port.ts'
import type { QueueLimits } from '../store/queue-limits.ts'
import type { Project } from '../workspace/port.ts'
import { openProject } from '../workspace/project.ts'

/** What the operations work with; `app.ts` makes the real one, tests make theirs. */
export interface Context {
  clock: Clock
  env: Env
  folders: Folders
  /** Where a relative path of the caller begins; null for callers of other machines and programs, who name whole paths. */
  cwd: string | null
  /** Who calls, for the record. */
  actor: string
  /** Who calls, and what they may do. */
  caller: Actor
  /** From where, for the record. */
  via: string
  /** The `traceparent` that the caller has sent. */
  trace?: string
  audit: Audit
  /** Runs by the names that this call has for them, such as `last`: the record tells which they were. */
  named?: Map<string, RunId>
  version: string
  /** Program and arguments that start this reeve again. */
  self: readonly [string, ...string[]]
  /** Folder of the data files: roles, demo. */
  templates: string
  /** Names of the workflows that a run may ask for. */
  workflows: readonly string[]
  kit: Kit
  secrets: Secrets
  /** The store of this machine, opened on first use. */
  store(): Promise<Store>
  /** Lets this process work on runs. */
  host: Host
}

/** Who calls, from where, and with whose environment. */
export interface Caller {
  actor: Actor
  /** Where its relative paths begin; null: it names whole paths. */
  cwd: string | null
  /** Its environment, which its runs are worked on with; null: this process's own. */
  env: Env | null
  /** From where, for the record: `socket`, an address; absent: the command line. */
  via?: string
  /** The `traceparent` it sends: its runs belong to that trace. */
  trace?: string
}

/** Where runs are worked on: in this process, by an engine of its own. */
export interface Host {
  /** Do runs go on when whoever asked for them leaves? */
  readonly resident: boolean
  /** From now on these runs are worked on with the caller's environment, where their keys are. */
  adopt(runs: readonly RunId[]): void
  /** The same for those of which no environment is known: the process that knew it may have died. */
  lend(runs: readonly RunId[]): void
  /**
   * Resolves when each of these runs has ended or waits for something that this process cannot give. Where nothing is resident, it works on
   * them until then; when the signal aborts, they are handed back at once: what was not finished is begun again by whoever goes on.
   */
  work(runs: readonly RunId[], options: WorkOptions): Promise<void>
}

export interface WorkOptions {
  /** Runs at work in this process at the same time. */
  concurrency: number
  /** What all processes of the data folder keep to together. */
  limits: QueueLimits
  signal: AbortSignal
  /** Called each time that one of them begins or goes on here, and not in another process. */
  onActivate: (run: RunId) => void
}

/** Values that are never written. They become known with the settings; the redactor sees all that are known at that time. */
export interface Secrets extends Redaction {
  learn(values: readonly string[]): void
  /** Reads what the user's package managers and git log in with; again after a minute, and nothing when there is none. */
  learnFiles(): Promise<void>
}

/** A path as the caller means it. Throws `invalid_input` where the caller is nowhere. */
export function pathOf(context: Pick<Context, 'cwd'>, path: string | undefined, what = 'project'): string {
  if (context.cwd !== null) return resolve(context.cwd, path ?? '.')
  if (path !== undefined && isAbsolute(path)) return normalize(path)
  const found = path === undefined ? 'is missing' : `is "${path}"`
  throw new ReeveError('invalid_input', { problem: `${what} ${found}; over the network it must be an absolute path` })
}

/**
 * The project a caller means: the folder that was named, else the one the caller is in. Throws `forbidden` for one that it may not see, with
 * nothing that tells whether it is there.
 */
export async function projectOf(context: Context, path: string | undefined): Promise<Project> {
  const folder = pathOf(context, path)
  await mustSee(context, folder)
  const project = await openProject(folder)
  if (maySee(context.caller, project.root)) return project
  throw unseen(context, folder)
}

/** Before anything is done with a folder that a caller names: is it in a project of the caller's? Links are followed. */
async function mustSee({ caller }: Pick<Context, 'caller'>, folder: string): Promise<void> {
  if (caller.projects === null) return
  const real = await realpath(folder).catch(() => null)
  if (real !== null && caller.projects.some((root) => real === root || real.startsWith(`${root}${sep}`))) return
  throw unseen({ caller }, folder)
}

function unseen({ caller }: Pick<Context, 'caller'>, folder: string): ReeveError {
  return new ReeveError('forbidden', { actor: caller.name, role: caller.role, doing: `see "${folder}"`, needed: 'a key for that project' })
}

/** Roots of the projects a call is about: the one that was named, else with `all` those that the caller may see; null: every one. */
export async function projectsOf(
  context: Context,
  input: { project?: string | undefined; all: boolean },
): Promise<readonly string[] | null> {
  if (input.all) return context.caller.projects
  const folder = pathOf(context, input.project)
  await mustSee(context, folder)
  return [(await rootWithRuns(context, folder)) ?? (await projectOf(context, input.project)).root]
}

/** The folder itself where it is the root of a project that has runs: for a list nobody need start git to find that out. */
async function rootWithRuns(context: Context, folder: string): Promise<string | null> {
  const root = await realpath(folder).catch(() => null)
  if (root === null || !maySee(context.caller, root)) return null
  const [run] = await (await context.store()).listRuns({ projects: [root], limit: 1 })
  return run === undefined ? null : root
}

/**
 * The run a caller means. `last` is the newest of the project that the caller is in: a neighbour's run must not be landed by mistake.
 * Outside any project it is the newest of all. What a caller may not see is not there.
 */
export async function runNamed(context: Context, store: Store, text: string): Promise<RunRow> {
  const project = text === 'last' ? await projectOf(context, undefined).catch(() => null) : null
  const row = await store.findRun(text, project?.root ?? null, context.caller.projects)
  context.named?.set(text, row.id)
  return row
}

/** The settings of a project as they are now. What they hold that is secret is redacted from then on. */
export async function settingsOf(
  context: Context,
  root: string | null,
  more: { flags?: readonly Flag[]; readProjectFile?: ReadProjectFile } = {},
): Promise<Loaded> {
  const loaded = await loadSettings({ projectRoot: root, env: context.env, userDir: context.folders.config, ...more })
  context.secrets.learn(secretValues(loaded.settings, context.env))
  await context.secrets.learnFiles()
  return loaded
}
