import { type Clock, systemClock } from '../core/clock.ts'
import type { ProviderSettings, Settings } from '../core/settings.ts'
import type { Admission } from './admission.ts'
import { type EndpointDefaults, endpointOf, incomplete } from './endpoint.ts'
import type { ApiKind } from './kind.ts'
import { limitsFrom } from './limits.ts'
import type { EnginePool } from './llamacpp/keep-engine.ts'
import { fetchFor } from './network.ts'
import type { ModelProvider } from './port.ts'
import { createScripted } from './scripted.ts'

export interface ProviderDeps {
  /** Where keys are looked up, by the names in the settings. */
  env: Readonly<Record<string, string | undefined>>
  /** Files named in the settings are relative to it. */
  projectRoot: string
  /** reeve's data folder: the user's own models and the engine for them. */
  dataDir?: string
  /** Keeps the engines of local models from one provider to the next; absent: each ends with its provider. */
  engines?: EnginePool
  clock?: Clock
  /** Default: one that keeps to `network`. */
  fetch?: typeof fetch
  /** `[network]` of the settings; absent: its defaults. */
  network?: Settings['network']
  /** Every try of every call passes it. Absent: nothing is held back. */
  admission?: Admission
}

type ApiKindName = 'anthropic' | 'openai' | 'google' | 'openai-compatible'

/** Loaded on use: each brings its package with it. */
const KINDS: Record<ApiKindName, () => Promise<ApiKind>> = {
  anthropic: async () => (await import('./anthropic.ts')).anthropic,
  openai: async () => (await import('./openai.ts')).openai,
  google: async () => (await import('./google.ts')).google,
  'openai-compatible': async () => (await import('./openai-compatible.ts')).openaiCompatible,
}

/** A configured provider. Throws `provider_key_missing` or `invalid_config`; asks nobody over the network. */
export async function createProvider(name: string, settings: ProviderSettings, deps: ProviderDeps): Promise<ModelProvider> {
  if (settings.kind === 'scripted') return createScripted(name, settings, deps)
  if (settings.kind === 'llamacpp') return (await import('./llamacpp/provider.ts')).createLlamaCpp(name, settings, deps)
  if (settings.kind === 'plugin') return (await import('./plugin.ts')).openPluginProvider(name, settings, deps)
  const shared = async (defaults: EndpointDefaults, local = false) => ({
    ...endpointOf(name, settings, defaults, deps.env),
    name,
    settings,
    clock: deps.clock ?? systemClock,
    fetch: deps.fetch ?? (await fetchFor(deps.network, deps.env, limitsFrom(settings, local).firstByteMs)),
    admission: deps.admission,
  })
  if (settings.kind === 'ollama') {
    const { createOllama, OLLAMA } = await import('./ollama/provider.ts')
    return createOllama(await shared(OLLAMA, true))
  }
  if (!isApiKind(settings.kind)) throw incomplete(name, 'kind', `"${settings.kind}" answers no single calls of a model`)
  const kind = await KINDS[settings.kind]()
  // It may be an engine on a machine of the user's own.
  const options = await shared(kind, settings.kind === 'openai-compatible' && settings.dialect !== 'generic')
  const { createApiProvider } = await import('./api.ts')
  return createApiProvider({ ...options, kind })
}

function isApiKind(kind: ProviderSettings['kind']): kind is ApiKindName {
  return kind in KINDS
}
