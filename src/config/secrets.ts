import type { Settings } from '../core/settings.ts'
import type { Env } from './home.ts'

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/
// Beginnings that makers of keys use, also those that would pass as a variable name.
const KEY_BEGINNING = /^(?:sk|pk|rk|ghp|gho|ghs|ghu|github_pat|glpat|xox[abprs]|AIza|AKIA|ASIA|hf|gsk|eyJ)[_A-Za-z0-9-]{16,}$/

/** Does a text hold what begins like a key of a well-known maker? */
export function isKey(text: string): boolean {
  return text.split(/[\s=:,;]+/).some((word) => KEY_BEGINNING.test(word) && /[0-9]/.test(word))
}

/** Is this a key itself, where the name of a variable is wanted? */
export function looksLikeSecret(value: string): boolean {
  if (KEY_BEGINNING.test(value) && /[0-9]/.test(value)) return true
  if (VARIABLE.test(value)) return value.length >= 32 && /[a-z]/.test(value) && /[A-Z]/.test(value) && /[0-9]/.test(value)
  return value.length >= 16 || value.includes('-')
}

export function isVariableName(value: string): boolean {
  return VARIABLE.test(value)
}

/** Names of headers and variables whose values let somebody in. */
export function isSecretName(name: string): boolean {
  return /^(?:proxy-)?authorization$|cookie|token|secret|api[-_]?key|password|credential/i.test(name)
}

/** Values that may never be written anywhere: those of the key variables, of webhooks, of telling headers and variables, and the password of the proxy. Given to `redactor()`. */
export function secretValues(settings: Settings, env: Env): string[] {
  const found = providersOf(settings).flatMap(([, provider]) => [
    provider.api_key_env === undefined ? undefined : env[provider.api_key_env],
    ...provider.secrets_env.map((it) => env[it]),
    ...Object.entries({ ...provider.headers, ...provider.env }).flatMap(([name, value]) =>
      isSecretName(name) ? [value, value.replace(/^\S+\s+/, '')] : [],
    ),
  ])
  found.push(...Object.values(settings.webhooks).map((it) => (it.secret_env === undefined ? undefined : env[it.secret_env])))
  const password = URL.parse(settings.network.proxy ?? '')?.password
  found.push(password, password === undefined ? undefined : decoded(password))
  return [...new Set(found.filter((it): it is string => it !== undefined && it !== ''))]
}

// Where providers look for a key when nothing else is said.
const USUAL_KEYS = /^(?:ANTHROPIC|OPENAI|CODEX|GEMINI|GOOGLE|GOOGLE_GENERATIVE_AI|DASHSCOPE)_API_KEY$/

/** Names of the variables that hold the keys of these settings' providers, as far as they are set. */
export function keyVariables(settings: Settings, env: Env): string[] {
  const providers = providersOf(settings).map(([, it]) => it)
  const named = providers.flatMap((it) => [...(it.api_key_env === undefined ? [] : [it.api_key_env]), ...it.secrets_env])
  const byItself = providers.some(
    (it) => it.api_key_env === undefined && it.api_key_file === undefined && !it.login && it.kind !== 'scripted',
  )
  const usual = byItself ? Object.keys(env).filter((it) => USUAL_KEYS.test(it)) : []
  return [...new Set([...named, ...usual])].filter((it) => (env[it] ?? '') !== '').toSorted()
}

/** As it was written before it became part of an address. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

type Provider = Exclude<Settings['providers'][string], string[]>

/** The configured providers by name, in the order of the file. */
export function providersOf(settings: Settings): [string, Provider][] {
  return Object.entries(settings.providers).filter((it): it is [string, Provider] => !Array.isArray(it[1]))
}
