import type { Clock } from '../core/clock.ts'
import { ReeveError } from '../core/errors.ts'
import type { ProviderSettings } from '../core/settings.ts'
import type { Admission } from './admission.ts'

/** Where requests of a provider go, as whom, and for which model. */
export interface Endpoint {
  /** Without a final "/". */
  baseUrl: string
  model: string
  /** null: the server needs none. */
  key: string | null
}

/** What a provider over HTTP is made of. */
export interface Service extends Endpoint {
  name: string
  settings: ProviderSettings
  clock: Clock
  fetch: typeof fetch
  admission?: Admission | undefined
}

/** What holds where the settings say nothing. */
export interface EndpointDefaults {
  /** null: one must be configured. */
  baseUrl: string | null
  /** Environment variables that are tried for the key when `api_key_env` is not set; empty: no key needed. */
  keyVariables: readonly string[]
}

type Env = Readonly<Record<string, string | undefined>>

/** Throws `invalid_config` or `provider_key_missing`; asks nobody. */
export function endpointOf(name: string, settings: ProviderSettings, defaults: EndpointDefaults, env: Env): Endpoint {
  const baseUrl = settings.base_url ?? defaults.baseUrl
  if (baseUrl === null) {
    const problem = `a provider of kind "${settings.kind}" needs the server's address, such as "http://127.0.0.1:8080/v1"`
    throw incomplete(name, 'base_url', problem)
  }
  const wrong = wrongAddress(baseUrl)
  if (wrong !== null) throw incomplete(name, 'base_url', wrong)
  const header = Object.keys(settings.headers).find((it) => !HEADER_NAME.test(it))
  if (header !== undefined) throw incomplete(name, 'headers', `"${header}" is not a name of a header; letters, digits and "-" are allowed`)
  if (settings.model === undefined) throw incomplete(name, 'model', `a provider of kind "${settings.kind}" needs the name of a model`)
  return { baseUrl: baseUrl.replace(/\/+$/, ''), model: settings.model, key: keyOf(name, settings, defaults.keyVariables, env) }
}

export function incomplete(name: string, key: string, problem: string): ReeveError {
  return new ReeveError('invalid_config', { where: `providers.${name}.${key}`, problem })
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

function keyOf(name: string, settings: ProviderSettings, usual: readonly string[], env: Env): string | null {
  const variables = settings.api_key_env === undefined ? usual : [settings.api_key_env]
  const key = variables.map((it) => env[it]?.trim()).find((it) => it !== undefined && it !== '')
  if (key !== undefined) return key
  const [wanted] = variables
  if (wanted === undefined) return null
  throw new ReeveError('provider_key_missing', { provider: name, variable: wanted })
}
