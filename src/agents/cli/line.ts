import { type Json, parseJson } from '../../core/json.ts'

/** An object of JSON whose fields nobody has checked. */
export type Fields = { [key: string]: Json }

/** A line of output as an object, or null: what is no JSON, or not an object, says nothing. */
export function objectOf(line: string): Fields | null {
  const text = line.trim()
  if (!text.startsWith('{')) return null
  try {
    return asFields(parseJson(text, 'output'))
  } catch {
    return null
  }
}

/** What is at a dotted path, or undefined. A number in the path is an index. */
export function at(value: Json | undefined, path: string): Json | undefined {
  let here = value
  for (const key of path.split('.')) {
    if (here === null || typeof here !== 'object' || !Object.hasOwn(here, key)) return undefined
    here = (here as Fields)[key]
  }
  return here
}

/** The text at a path, '' when there is none. */
export function textAt(value: Json | undefined, path: string): string {
  const found = at(value, path)
  return typeof found === 'string' ? found : ''
}

/** No count of tokens, dollars or milliseconds is larger; a sum of such numbers stays a number. */
const MOST = 1e12

/** The count at a path, 0 when there is none, or nonsense: less than nothing would be given back to a budget. */
export function numberAt(value: Json | undefined, path: string): number {
  const found = at(value, path)
  return typeof found === 'number' && found >= 0 && found <= MOST ? found : 0
}

/** What was spent, where a CLI says so: 0 means that it does not know the price. */
export function costAt(value: Json | undefined, path: string): { costUsd?: number } {
  const costUsd = numberAt(value, path)
  return costUsd > 0 ? { costUsd } : {}
}

export function listAt(value: Json | undefined, path: string): Json[] {
  const found = at(value, path)
  return Array.isArray(found) ? found : []
}

/** The texts of a list at a path. */
export function textsAt(value: Json | undefined, path: string): string[] {
  return listAt(value, path).filter((it) => typeof it === 'string')
}

export function fieldsAt(value: Json | undefined, path: string): Fields {
  return asFields(at(value, path) ?? null) ?? {}
}

/** An HTTP status at a path, where it is one. */
export function statusAt(value: Json | undefined, path: string): number | undefined {
  const found = numberAt(value, path)
  return found >= 100 && found < 600 ? found : undefined
}

function asFields(value: Json): Fields | null {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : null
}
