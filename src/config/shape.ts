import { z } from 'zod'
import { parseJson } from '../core/json.ts'
import { settingsSchema } from '../core/settings.ts'

/** The part of JSON Schema that settings use: enough to say what a key allows and to read a text as what is wanted. */
export interface Shape {
  type?: 'object' | 'array' | 'string' | 'number' | 'integer' | 'boolean'
  properties?: Record<string, Shape>
  additionalProperties?: Shape | boolean
  required?: string[]
  items?: Shape
  enum?: string[]
  default?: unknown
  format?: string
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  minLength?: number
}

/** The settings schema as data. */
export const settingsShape = z.toJSONSchema(settingsSchema, { io: 'input' }) as Shape

/** The shape at a path of keys, undefined where no such key is known. */
export function shapeAt(path: readonly string[], root: Shape = settingsShape): Shape | undefined {
  let shape: Shape | undefined = root
  for (const key of path) {
    if (shape === undefined) return undefined
    shape = memberOf(shape, key)
  }
  return shape
}

function memberOf(shape: Shape, key: string): Shape | undefined {
  if (shape.properties && Object.hasOwn(shape.properties, key)) return shape.properties[key]
  if (typeof shape.additionalProperties === 'object') return shape.additionalProperties
  return shape.type === 'array' ? shape.items : undefined
}

/** Keys with a meaning of their own at a path; free names (`providers.<name>`) are not among them. */
export function knownKeys(path: readonly string[]): string[] {
  return Object.keys(shapeAt(path)?.properties ?? {})
}

// zod writes this where a whole number has no upper limit of ours.
const NO_LIMIT = Number.MAX_SAFE_INTEGER

/** What a shape allows, for people: `a whole number from 1 to 20`, `manual, supervised, autonomous`. */
export function allowed(shape: Shape): string {
  if (shape.enum) return shape.enum.join(', ')
  switch (shape.type) {
    case 'boolean':
      return 'true or false'
    case 'integer':
      return `a whole number${range(shape)}`
    case 'number':
      return `a number${range(shape)}`
    case 'array':
      return 'a list of texts, such as ["a", "b"]'
    case 'object':
      return 'a table'
    default:
      return shape.format === 'uri' ? 'a URL, such as "http://127.0.0.1:8080/v1"' : 'a text in quotes'
  }
}

function range(shape: Shape): string {
  const max = shape.maximum === NO_LIMIT ? undefined : shape.maximum
  if (shape.minimum !== undefined && max !== undefined) return ` from ${shape.minimum} to ${max}`
  if (shape.minimum !== undefined && shape.minimum > -NO_LIMIT) return ` from ${shape.minimum}`
  if (shape.exclusiveMinimum !== undefined)
    return shape.type === 'integer' ? ` from ${shape.exclusiveMinimum + 1}` : ` above ${shape.exclusiveMinimum}`
  return ''
}

/** A text (from a variable, a flag, `${VAR}`) as what the key wants; the text itself where it does not fit, so that the check can name it. */
export function fromText(text: string, shape: Shape | undefined): unknown {
  const word = text.trim()
  switch (shape?.type) {
    case 'number':
    case 'integer':
      return word !== '' && Number.isFinite(Number(word)) ? Number(word) : text
    case 'boolean':
      return word === 'true' || word === '1' ? true : word === 'false' || word === '0' ? false : text
    case 'array':
      return listFrom(word)
    default:
      return text
  }
}

/** `["a","b"]` or `a, b`; a broken list stays as it is, for the check to name. */
function listFrom(word: string): unknown {
  if (!word.startsWith('[')) return word === '' ? [] : word.split(',').map((it) => it.trim())
  try {
    return parseJson(word, 'the list')
  } catch {
    return word
  }
}
