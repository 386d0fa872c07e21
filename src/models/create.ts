import { type Clock, systemClock } from '../core/clock.ts'
import { ReeveError } from '../core/errors.ts'
import type { ProviderSettings, Settings } from '../core/settings.ts'
import type { Admission } from './admission.ts'
import type { ApiKind } from './kind.ts'
import { limitsFrom } from './limits.ts'
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
  if (!isApiKind(settings.kind)) throw incomplete(name, 'kind', `"${settings.kind}" answers no single calls of a model`)
  const kind = await KINDS[settings.kind]()
  const baseUrl = settings.base_url ?? kind.baseUrl
  if (baseUrl === null)
    throw incomplete(
      name,
      'base_url',
      `a provider of kind "${settings.kind}" needs the server's address, such as "http://127.0.0.1:11434/v1"`,
    )
  const wrong = wrongAddress(baseUrl)
  if (wrong !== null) throw incomplete(name, 'base_url', wrong)
  const header = Object.keys(settings.headers).find((it) => !HEADER_NAME.test(it))
  if (header !== undefined) throw incomplete(name, 'headers', `"${header}" is not a name of a header; letters, digits and "-" are allowed`)
  if (settings.model === undefined) throw incomplete(name, 'model', `a provider of kind "${settings.kind}" needs the name of a model`)
  const { createApiProvider } = await import('./api.ts')
  return createApiProvider({
    name,
    kind,
    settings,
    model: settings.model,
    baseUrl: baseUrl.replace(/\/+$/, ''),
    key: keyOf(name, settings, kind, deps.env),
    clock: deps.clock ?? systemClock,
    fetch: deps.fetch ?? (await fetchFor(deps.network, deps.env, limitsFrom(settings).firstByteMs)),
    admission: deps.admission,
  })
}

function isApiKind(kind: ProviderSettings['kind']): kind is ApiKindName {
  return kind in KINDS
}

const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/

/** Why an address is none that requests go to, null when it is one. */
function wrongAddress(address: string): string | null {
  const url = new URL(address)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return `"${url.protocol}//" is not supported; http:// and https:// are`
  if (url.username !== '' || url.password !== '')
    return 'it holds a name or a password; name the variable of the key in api_key_env instead'
  return url.search === '' && url.hash === '' ? null : 'it may not end in "?…" or "#…"'
}

function keyOf(name: string, settings: ProviderSettings, kind: ApiKind, env: ProviderDeps['env']): string | null {
  const variables = settings.api_key_env === undefined ? kind.keyVariables : [settings.api_key_env]
  const key = variables.map((it) => env[it]?.trim()).find((it) => it !== undefined && it !== '')
  if (key !== undefined) return key
  const [wanted] = variables
  if (wanted === undefined) return null
  throw new ReeveError('provider_key_missing', { provider: name, variable: wanted })
}

function incomplete(name: string, key: string, problem: string): ReeveError {
  return new ReeveError('invalid_config', { where: `providers.${name}.${key}`, problem })
}
