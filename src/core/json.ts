import { ReeveError } from './errors.ts'

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** Parses JSON and names its source when it is broken. Throws `invalid_json`. */
export function parseJson(text: string, source: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch (error) {
    throw new ReeveError('invalid_json', { source, problem: error instanceof Error ? error.message : String(error) })
  }
}

/** Nothing of use is nested like this, and what is nested a thousand times more overflows the stack of whatever walks it. */
export const MAX_JSON_LEVELS = 100

/** Is it nested deeper than `MAX_JSON_LEVELS`? Asks without recursion. */
export function isTooDeep(value: Json): boolean {
  let level: Json[] = [value]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_JSON_LEVELS) return true
    level = level.flatMap((it) => (it === null || typeof it !== 'object' ? [] : Object.values(it)))
  }
  return false
}

/** JSON with sorted keys: the same value always gives the same text, so that it can be hashed. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, it: unknown) =>
    it !== null && typeof it === 'object' && !Array.isArray(it)
      ? Object.fromEntries(Object.entries(it).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : it,
  )
}
