import { createHash } from 'node:crypto'
import { canonicalJson } from '../../core/json.ts'
import type { ProviderSettings } from '../../core/settings.ts'

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

/** A kind looks for its key in variables of its own where none is named. */
function keysFor({ api_key_env, secrets_env }: ProviderSettings, env: Env): (string | null)[] {
  const own = api_key_env === undefined ? Object.keys(env).filter((it) => it.endsWith('_API_KEY')) : [api_key_env]
  return [...own.toSorted(), ...secrets_env].map((it) => env[it] ?? null)
}

/** Too short to guess a key from. */
function fingerprint(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, 10)
}
