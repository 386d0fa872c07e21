import { rm } from 'node:fs/promises'
import { problemOf } from '../core/errors.ts'
import type { IsolationReport } from '../core/isolation.ts'
import type { SandboxSettings } from '../core/settings.ts'
import { programEnv } from '../process/env.ts'
import type { Backend, BackendRequest, Unavailable } from './backend.ts'
import { createGuarded } from './guarded.ts'
import { createLimits, type LimitsOfRuns } from './limits/of-runs.ts'
import { makeOwnFolder, removeAbandoned } from './own-folders.ts'
import type { Place, Profile, Sandbox } from './port.ts'
import { profileVariables } from './profile-env.ts'
import { noSandbox } from './unconfined.ts'

export interface SandboxRequest {
  settings: SandboxSettings
  /** A folder of reeve's own, not below /tmp. Where its path is short, sockets lie in it. */
  folder: string
  env: Readonly<Record<string, string | undefined>>
  /** The user's home. */
  realHome: string
  signal: AbortSignal
}

/**
 * How programs are held on this machine: the strongest way that the settings allow and that holds when it is attacked. A way that is there
 * and does not hold is not used; the report says why. Measured each time it is called: keep the result.
 */
export async function createSandbox(request: SandboxRequest): Promise<Sandbox> {
  if (request.settings.level === 'none') return unheld(request)
  await removeAbandoned(request.folder)
  const limits = await createLimits(request.settings.limits)
  const parts: BackendRequest = {
    ...request,
    limitsOf: (place, profile) =>
      limits.of({ run: place.run, folders: writtenBy(place, profile) }, profile.kind === 'install' ? 'install' : 'run'),
  }
  const refusals: Unavailable[] = []
  for (const make of waysOf(request.settings)) {
    const backend = await make(parts)
    const measured = 'unavailable' in backend ? backend : await measure(backend, request, limits)
    if (!('unavailable' in measured)) {
      const report: IsolationReport = { ...measured.report, ...whyNotStronger(refusals) }
      return { ...measured, report, close: () => limits.close() }
    }
    refusals.push(measured)
  }
  const guarded = createGuarded(parts, () => limits.holds({ namespace: false }))
  const report: IsolationReport = {
    level: guarded.level,
    by: guarded.by,
    holds: guarded.limitHolds(),
    ...whyNotStronger(refusals),
  }
  return { env: guarded.env, confine: guarded.confine, report, close: () => limits.close() }
}

/** Nobody is held; what the settings say about installs is true all the same. */
function unheld({ settings, env, realHome }: SandboxRequest): Sandbox {
  return {
    ...noSandbox,
    env: ({ home, run }, profile) => ({ ...programEnv({ home, run, from: env, realHome }), ...profileVariables(settings, profile) }),
  }
}

/** Also where a weaker way holds: a container was asked for by name, and there is none. */
function whyNotStronger(refusals: readonly Unavailable[]): Pick<IsolationReport, 'reason' | 'improve'> {
  return {
    reason: refusals.map((it) => it.unavailable).join(' '),
    improve: refusals.find((it) => it.improve !== null)?.improve ?? null,
  }
}

/** What programs of a place add to counts here. */
function writtenBy(place: Place, profile: Profile): string[] {
  const packages = place.packages !== undefined && profile.kind === 'install' ? [place.packages] : []
  return [place.tree, place.home, ...(place.writable ?? []), ...packages]
}

type Way = (parts: BackendRequest) => Promise<Backend | Unavailable>

/** The ways to try, strongest first. A container needs an image, so it must be asked for by name. */
function waysOf({ level }: SandboxSettings): Way[] {
  const container: Way = async (parts) => (await import('./container/backend.ts')).createContainer(parts)
  const system: Way =
    process.platform === 'darwin'
      ? async (parts) => (await import('./macos.ts')).createMacos(parts)
      : async (parts) => (await import('./bubblewrap/backend.ts')).createBubblewrap(parts)
  if (level === 'guarded') return []
  return level === 'container' ? [container, system] : [system]
}

/** Attacks this machine from inside the backend. What does not hold makes it none that can be used. */
async function measure(
  backend: Backend,
  { folder, signal }: SandboxRequest,
  limits: LimitsOfRuns,
): Promise<Omit<Sandbox, 'close'> | Unavailable> {
  const { ESSENTIAL, probe } = await import('./probe/probe.ts')
  const stage = await makeOwnFolder(folder, 'probe')
  try {
    const attacks = await probe(backend.confine, { folder: stage, signal })
    const known = new Set(backend.leavesOpen)
    const through = attacks.filter((it) => it.outcome === 'succeeded' && !known.has(it.name)).map((it) => it.name)
    if (through.length > 0) return { unavailable: `${backend.by} is there and does not stop ${through.join(', ')}.`, improve: null }
    const unknown = attacks.filter((it) => it.outcome === 'not measured' && ESSENTIAL.has(it.name)).map((it) => it.name)
    if (unknown.length > 0)
      return { unavailable: `Whether ${backend.by} stops ${unknown.join(', ')} could not be measured.`, improve: null }
    const own = backend.limitHolds()
    const holds = [
      ...attacks.map(({ name, about, grip, reason }) => ({ name, about, grip, reason })),
      ...(own.length > 0 ? own : limits.holds({ namespace: true })),
    ]
    const report: IsolationReport = { level: backend.level, by: backend.by, holds, reason: '', improve: null }
    return { env: backend.env, confine: backend.confine, report }
  } catch (error) {
    signal.throwIfAborted()
    const improve = backend.level === 'os-sandbox' ? await (await import('./improve.ts')).howToAllow() : null
    return { unavailable: `${backend.by} is there and does not work: ${problemOf(error)}`, improve }
  } finally {
    await rm(stage, { recursive: true, force: true })
  }
}
