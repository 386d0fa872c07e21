import type { MeterDialect } from './port.ts'

/** What a request is for. `model`: it asks a model, and is metered. `free`: it costs nothing, such as a list of models. */
export type Route = { kind: 'model'; dialect: MeterDialect; model: string | null } | { kind: 'free' } | { kind: 'none' }

/** Paths after the version, which some programs leave out. */
const VERSION = /^\/v\d+\w*(?=\/|$)/
const MODEL_PATHS: readonly (readonly [RegExp, MeterDialect])[] = [
  [/^\/messages$/, 'anthropic'],
  [/^\/responses$/, 'openai-responses'],
  [/^\/chat\/completions$/, 'openai-chat'],
  [/^\/models\/([^/]+):(?:stream)?[gG]enerateContent$/, 'google'],
]
const FREE_PATHS: readonly (readonly [method: string, path: RegExp])[] = [
  ['GET', /^\/models(?:\/[^/]+)?$/],
  ['POST', /^\/messages\/count_tokens$/],
  ['POST', /^\/models\/[^/]+:countTokens$/],
]

/** Everything that is none of a model's API, such as telemetry, goes nowhere. */
export function routeOf(method: string, path: string, dialects: readonly MeterDialect[]): Route {
  if (!isPlain(path)) return { kind: 'none' }
  const rest = path.replace(VERSION, '')
  if (FREE_PATHS.some(([of, it]) => of === method && it.test(rest))) return { kind: 'free' }
  if (method !== 'POST') return { kind: 'none' }
  for (const [pattern, dialect] of MODEL_PATHS) {
    const found = pattern.exec(rest)
    if (found && dialects.includes(dialect)) return { kind: 'model', dialect, model: found[1] ?? null }
  }
  return { kind: 'none' }
}

/** Would every server understand it as we do? One that unpacks `%2F` first would be led elsewhere by the name of a model. */
function isPlain(path: string): boolean {
  try {
    const unpacked = decodeURIComponent(path)
    return !/[\\%?#\p{Cc}]|(?:^|\/)\.{1,2}(?:\/|$)/u.test(unpacked)
  } catch {
    return false
  }
}

/** The provider's address of a path: its own version counts, where it has one. `search`: without a key in it. */
export function upstreamUrl(base: string, path: string, search: URLSearchParams): string {
  const root = base.replace(/\/+$/, '')
  const versioned = VERSION.test(path) ? path : `/v1${path}`
  const own = /\/v\d+\w*$/.test(root)
  const query = search.size === 0 ? '' : `?${search.toString()}`
  return `${root}${own ? versioned.replace(VERSION, '') : versioned}${query}`
}
