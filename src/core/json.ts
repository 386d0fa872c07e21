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

/** JSON with sorted keys: the same value always gives the same text, so that it can be hashed. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, it: unknown) =>
    it !== null && typeof it === 'object' && !Array.isArray(it)
      ? Object.fromEntries(Object.entries(it).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : it,
  )
}
