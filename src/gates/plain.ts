import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { ReeveError } from '../core/errors.ts'
import type { Settings } from '../core/settings.ts'
import type { Task, TaskKind } from '../core/task.ts'
import { programEnv } from '../process/env.ts'
import type { Confinement } from '../process/port.ts'
import type { Checkout, Project } from '../workspace/port.ts'
import { openProject } from '../workspace/project.ts'
import { judge as realJudge } from './create.ts'
import { type CheckoutComparison, compareCheckout } from './plain-comparison.ts'
import type { GateEvent, Judge, Verdict } from './port.ts'

export interface PlainOptions {
  /** A checkout or a folder in one; also a folder that is in no repository. */
  path: string
  settings: Settings
  /** Commit or branch to compare with. Absent: HEAD, when the checkout has changes that are not committed. */
  base?: string
  /** `chore` by default: no red proof is asked for. */
  kind?: TaskKind
  /** `full` by default. */
  depth?: 'quick' | 'full'
  acceptance?: Task['acceptance']
  /** Folder for cached base results. */
  cacheDir: string
  timeoutMs: number
  signal: AbortSignal
  emit?: (event: GateEvent) => void
  judge?: Judge
  /** How the commands are held; absent: as plain processes without limits. */
  hold?: (place: { tree: string; home: string }) => Confinement
}

/**
 * Judges a checkout as it stands: no run, no model, nothing of it is changed but what its own commands write. What is not committed is compared
 * with HEAD, or everything with `base`. With nothing to compare (no repository, no commit, no change) every failure counts.
 * Throws `no_gates` when there is nothing to run, `unknown_revision` for a base that is not there, `file_not_found` for a path that is not.
 */
export async function judgeCheckout(options: PlainOptions): Promise<Verdict> {
  const path = await realpath(options.path).catch(() => null)
  if (path === null) throw new ReeveError('file_not_found', { path: options.path })
  const temporary = await realpath(await mkdtemp(join(tmpdir(), 'reeve-gate-')))
  try {
    const project = await projectAt(path, options.base)
    const root = project?.root ?? path
    const home = join(temporary, 'home')
    const confinement = options.hold?.({ tree: root, home })
    const checkout: Checkout = {
      path: root,
      targetDir: relative(root, path) || '.',
      env: programEnv({ home }),
      ...(confinement === undefined ? {} : { confinement }),
    }
    const compared = project ? await compareCheckout({ project, checkout, base: options.base, folder: join(temporary, 'compared') }) : null
    const verdict = await (options.judge ?? realJudge)(requestOf(options, checkout, compared))
    if (verdict.gates.every((it) => it.command === null)) throw new ReeveError('no_gates', { path: options.path })
    return verdict
  } finally {
    await rm(temporary, { recursive: true, force: true, maxRetries: 3 })
  }
}

/** The repository around a folder; null where there is none to compare with and nobody asked for one. */
async function projectAt(path: string, base: string | undefined): Promise<Project | null> {
  try {
    return await openProject(path)
  } catch (error) {
    const nothing = error instanceof ReeveError && (error.code === 'not_a_repository' || error.code === 'no_commits')
    if (nothing && base === undefined) return null
    throw error
  }
}

function requestOf(options: PlainOptions, checkout: Checkout, compared: CheckoutComparison | null): Parameters<Judge>[0] {
  const { settings, cacheDir, timeoutMs, signal, kind = 'chore', depth = 'full', acceptance = {} } = options
  return {
    checkout,
    comparison: compared?.comparison ?? null,
    settings,
    task: { kind, acceptance },
    tree: compared?.tree ?? null,
    depth,
    protectedFiles: [],
    protectedContent: () => Promise.resolve(null),
    cacheDir,
    timeoutMs,
    signal,
    emit: options.emit ?? (() => undefined),
  }
}
