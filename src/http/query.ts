import { ReeveError } from '../core/errors.ts'
import type { JsonSchema } from './routes.ts'

/**
 * What a query says, as the schema of the input means it: numbers, true and false are texts there, lists are a name several times, tables are
 * JSON. What does not fit is left as it is, so that the schema refuses it in its own words. Only this face does so.
 */
export function fromQuery(query: URLSearchParams, schema: JsonSchema): Record<string, unknown> {
  const input: Record<string, unknown> = {}
  for (const name of new Set(query.keys())) {
    const texts = query.getAll(name)
    const field = schema.properties?.[name]
    const list = typeof field === 'object' ? listOf(field) : null
    if (list !== null) {
      put(
        input,
        name,
        texts.map((it) => valueOf(it, list)),
      )
      continue
    }
    if (texts.length > 1) throw new ReeveError('invalid_input', { problem: `"${name}" is there ${texts.length} times` })
    put(input, name, valueOf(texts[0] ?? '', typeof field === 'object' ? field : {}))
  }
  return input
}

/** A name of the caller's must not reach the prototype. */
function put(input: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(input, name, { value, enumerable: true, configurable: true, writable: true })
}

function listOf(schema: JsonSchema): JsonSchema | null {
  const list = branches(schema).find((it) => it.type === 'array')
  if (list === undefined) return null
  return typeof list.items === 'object' && !Array.isArray(list.items) ? list.items : {}
}

export function valueOf(text: string, schema: JsonSchema): unknown {
  const types = branches(schema).map((it) => it.type)
  if ((types.includes('integer') || types.includes('number')) && /^-?\d+(\.\d+)?$/.test(text)) return Number(text)
  if (types.includes('boolean') && (text === 'true' || text === 'false')) return text === 'true'
  if (types.includes('object') && text.startsWith('{')) return tableOf(text)
  return text
}

function tableOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function branches(schema: JsonSchema): JsonSchema[] {
  return [schema, ...(schema.anyOf ?? []), ...(schema.allOf ?? [])].filter((it) => typeof it === 'object')
}
