import type { Json } from '../core/json.ts'

/** Reading JSON whose shape nobody has promised: what is not there, or is something else, is empty. */
type Fields = { readonly [key: string]: Json | undefined }

export function fieldsOf(value: Json | undefined): Fields {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : {}
}

export function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : []
}

export function wordOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}

/** Nothing that is counted here has more: a sum of such numbers stays one. */
const MOST = 1e12

/** A count: null where there is none, or nonsense. */
export function countOf(value: Json | undefined): number | null {
  return typeof value === 'number' && value >= 0 && value <= MOST ? value : null
}
