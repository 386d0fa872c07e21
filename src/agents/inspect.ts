import { systemClock } from '../core/clock.ts'
import { ReeveError } from '../core/errors.ts'
import { type CliKind, isCliKind, type ProviderSettings, type Settings } from '../core/settings.ts'
import { acpAdapter } from './acp/agent.ts'
import { accessOf } from './cli/access.ts'
import { adapterOf } from './cli/adapters.ts'
import type { Detector } from './cli/detect.ts'
import { type AgentDeps, createAgent } from './create.ts'
import { loadPlugin } from './plugin.ts'

/** What can be said of a provider on this machine without asking its model anything. */
export interface Inspected {
  /** Could it work now? */
  ok: boolean
  /** Why not, or what it is, a sentence. */
  detail: string
  /** What to do about it. */
  hint: string | null
  model: string | null
  /** Where it is: an address, the path of a program, a file. */
  place: string | null
  version: string | null
  /** How it is let in: by a key, by the user's own log-in, by neither. */
  access: 'key' | 'login' | 'none' | 'missing'
}

export interface InspectDeps extends AgentDeps {
  detect: Detector
  /** Also asks servers whether they are there, which costs nothing. */
  ask: boolean
  signal: AbortSignal
}

/** Looks at a configured provider. Does not throw: what is wrong is in the answer. */
export async function inspectProvider(name: string, provider: ProviderSettings, settings: Settings, deps: InspectDeps): Promise<Inspected> {
  const plain = { model: provider.model ?? null, place: placeOf(provider), version: null, hint: null }
  try {
    if (provider.kind === 'acp' || isCliKind(provider.kind)) return await inspectProgram(name, provider, deps)
    if (provider.kind === 'replay') {
      await createAgent(name, provider, settings, deps)
      return { ...plain, ok: true, detail: 'The recording can be read.', access: 'none' }
    }
    if (provider.kind === 'plugin' && (await isPluginAgent(name, provider, settings, deps))) {
      return { ...plain, ok: true, detail: 'The module is loaded.', access: provider.api_key_env === undefined ? 'none' : 'key' }
    }
    return { ...plain, ...(await inspectModel(name, provider, settings, deps)) }
  } catch (error) {
    if (!(error instanceof ReeveError)) throw error
    const access = error.code === 'provider_key_missing' ? 'missing' : 'none'
    return { ...plain, ok: false, detail: error.message, hint: error.hint ?? null, access }
  }
}

/** One that is has been made once by then: what it needs is there. */
async function isPluginAgent(name: string, provider: ProviderSettings, settings: Settings, deps: InspectDeps): Promise<boolean> {
  const { kind } = await loadPlugin(name, provider, deps.projectRoot)
  if (kind !== 'agent') return false
  await createAgent(name, provider, settings, deps)
  return true
}

async function inspectProgram(name: string, provider: ProviderSettings, { detect, env }: InspectDeps): Promise<Inspected> {
  const adapter = provider.kind === 'acp' ? acpAdapter(provider) : adapterOf(provider.kind as CliKind, provider)
  const found = await detect(adapter, provider.binary ?? adapter.binary)
  const { path, version } = found
  const shared = { model: provider.model ?? null, place: path, version, hint: null }
  if (path === null) {
    const hint = `Install it, or name it: [providers.${name}] binary = "/path/to/it"`
    return { ...shared, ok: false, detail: found.problem, hint, access: 'none' }
  }
  const access = accessOf({ name, settings: provider, adapter, env })
  if (access.kind === 'login' && found.loggedIn === false) {
    return { ...shared, ok: false, detail: 'Nobody is logged in.', hint: `Log in with it once: ${path}`, access: 'missing' }
  }
  if (found.problem !== '') return { ...shared, ok: false, detail: found.problem, access: 'none' }
  const tested = adapter.tested === null ? 'never tried with reeve' : `tried with ${adapter.tested.from} to ${adapter.tested.to}`
  const note = adapter.experimental ? ', experimental' : ''
  const told = found.outsideTested || adapter.tested === null ? `${version} (${tested}${note})` : `${version}${note}`
  const detail = version === null ? 'It is there.' : told
  return {
    ...shared,
    ok: true,
    detail,
    access: access.kind === 'login' ? 'login' : access.kind === 'endpoint' && access.key !== null ? 'key' : 'none',
  }
}

async function inspectModel(
  name: string,
  provider: ProviderSettings,
  settings: Settings,
  { env, projectRoot, dataDir, clock = systemClock, ask, signal }: InspectDeps,
): Promise<Pick<Inspected, 'ok' | 'detail' | 'model' | 'access'>> {
  const { createProvider } = await import('../models/create.ts')
  const more = dataDir === undefined ? {} : { dataDir }
  const made = await createProvider(name, provider, { env, projectRoot, clock, network: settings.network, ...more })
  const access = ['anthropic', 'openai', 'google'].includes(provider.kind) || provider.api_key_env !== undefined ? 'key' : 'none'
  try {
    const health = ask ? await made.health(signal) : { ok: true, detail: 'It is set up.' }
    return { ...health, model: made.model, access }
  } finally {
    await made.close?.()
  }
}

function placeOf({ base_url, file, module }: ProviderSettings): string | null {
  return base_url ?? file ?? module ?? null
}
