import { createHash } from 'node:crypto'
import { canonicalJson } from '../../core/json.ts'
import type { ProviderSettings, Settings } from '../../core/settings.ts'
import { providerNamed, providerNames } from './choose.ts'

type Env = Readonly<Record<string, string | undefined>>

/**
 * The key under which the health of a provider is kept: with other settings, or another key, it is another provider, and what was wrong with
 * the old one does not count.
 */
export function providerKey(name: string, settings: ProviderSettings, env: Env): string {
  return `${name}#${fingerprint({ settings, keys: keysFor(settings, env) })}`
}

/** The key of the account whose limits a provider shares. Without a name of its own, projects share it that reach the same place by the same key. */
export function accountKey(name: string, settings: ProviderSettings, env: Env): string {
  if (settings.account !== undefined) return settings.account
  const { kind, base_url = null, login, binary = null, api_key_file = null } = settings
  return `${name}#${fingerprint({ kind, base_url, login, binary, api_key_file, keys: keysFor(settings, env) })}`
}

const LIMITS = ['max_concurrent', 'requests_per_minute', 'tokens_per_minute', 'burst'] as const
export type AccountLimits = Pick<ProviderSettings, (typeof LIMITS)[number]>

/** The limits of an account: of what the providers that share it say, the least. One that says nothing is held to what the others say. */
export function limitsOf(account: string, settings: Settings, env: Env): AccountLimits {
  const sharing = providerNames(settings).flatMap((name) => {
    const it = providerNamed(settings, name)
    return it && accountKey(name, it, env) === account ? [it] : []
  })
  return Object.fromEntries(
    LIMITS.flatMap((key) => {
      const said = sharing.flatMap((it) => it[key] ?? [])
      return said.length === 0 ? [] : [[key, Math.min(...said)]]
    }),
  )
}

/** A kind looks for its key in variables of its own where none is named. */
function keysFor({ api_key_env, secrets_env }: ProviderSettings, env: Env): (string | null)[] {
  const own = api_key_env === undefined ? Object.keys(env).filter((it) => it.endsWith('_API_KEY')) : [api_key_env]
  return [...own.toSorted(), ...secrets_env].map((it) => env[it] ?? null)
}

/** Too short to guess a key from. */
function fingerprint(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, 10)
}
