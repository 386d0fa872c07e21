import { ReeveError } from '../../core/errors.ts'
import type { AgentWay } from '../../workspace/port.ts'
import type { CliDeps } from './deps.ts'
import type { Endpoint } from './port.ts'

type Host = AgentWay['hosts'][number]

/**
 * How a program gets at its models: with a key at an address, or by the user's own log-in at its maker's.
 * `key: null`: the address wants none, such as a server of the user's own.
 */
export type Access = { kind: 'endpoint'; baseUrl: string; key: string | null } | { kind: 'login' } | { kind: 'own' }

/** Throws `provider_key_missing`. */
export function accessOf({ name, settings, adapter, env }: Pick<CliDeps, 'name' | 'settings' | 'adapter' | 'env'>): Access {
  if (settings.login) return { kind: 'login' }
  const { api } = adapter
  const variables = settings.api_key_env === undefined ? (api?.keyVariables ?? []) : [settings.api_key_env]
  const key = variables.map((it) => env[it]).find((it) => it !== undefined && it !== '') ?? null
  const wanted = settings.api_key_env ?? variables[0]
  const missing = key === null && wanted !== undefined && (settings.api_key_env !== undefined || settings.base_url === undefined)
  if (missing) throw new ReeveError('provider_key_missing', { provider: name, variable: wanted })
  // It takes no address of ours: what it needs is in the variables that it is given.
  if (api === null) return { kind: 'own' }
  return { kind: 'endpoint', baseUrl: (settings.base_url ?? api.baseUrl).replace(/\/+$/, '').replace(/\/v1(?:beta)?$/, ''), key }
}

/** Variables of the user's that the program is given as they are. Throws `provider_key_missing`. */
export function passedSecrets({
  name,
  settings,
  adapter,
  env,
}: Pick<CliDeps, 'name' | 'settings' | 'adapter' | 'env'>): Record<string, string> {
  const { api_key_env: named } = settings
  // What stands for a key in a file is a name of ours, which no program knows.
  const own = adapter.api === null && named !== undefined && !named.startsWith('REEVE_') ? [named] : []
  return Object.fromEntries(
    [...own, ...settings.secrets_env].map((variable) => {
      const value = env[variable]
      if (value === undefined) throw new ReeveError('provider_key_missing', { provider: name, variable })
      return [variable, value]
    }),
  )
}

/** Where the program may connect to by itself. `metered`: its provider is reached by reeve's proxy. */
export function hostsOf({ settings, adapter }: Pick<CliDeps, 'settings' | 'adapter'>, access: Access, metered: boolean): Host[] {
  const named = settings.hosts.map((it) => hostOf(it, true))
  if (access.kind === 'login') return [...named, ...(adapter.login?.hosts ?? []).map((it) => hostOf(it, false))]
  return access.kind === 'endpoint' && !metered ? [...named, hostOfUrl(access.baseUrl)] : named
}

/** The address as the program is given it when nothing stands between. */
export function directEndpoint({ baseUrl, key }: Extract<Access, { kind: 'endpoint' }>): Endpoint {
  return { baseUrl, key: key ?? 'none' }
}

function hostOf(text: string, own: boolean): Host {
  const [, host = text, port] = /^(.*?)(?::(\d+))?$/.exec(text) ?? []
  return { host: host.toLowerCase(), port: Number(port ?? 443), own }
}

function hostOfUrl(baseUrl: string): Host {
  const { hostname, port, protocol } = new URL(baseUrl)
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || (protocol === 'http:' ? 80 : 443)), own: true }
}
