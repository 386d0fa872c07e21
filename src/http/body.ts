import { ReeveError } from '../core/errors.ts'
import { type Json, parseJson } from '../core/json.ts'
import { checkBody, checkJson } from './strict.ts'

/** Thousands of tasks fit into one request for runs; what else is that large is no request. */
export const BODY_LIMIT = 1024 * 1024
export const SUBMIT_LIMIT = 8 * BODY_LIMIT
/** Its parser takes half a second for this, and nobody else is answered meanwhile. */
const YAML_LIMIT = BODY_LIMIT / 4

const JSON_TYPES = ['application/json']
const YAML_TYPES = ['application/yaml', 'application/x-yaml', 'text/yaml']
const ALLOWED = 'application/json, application/yaml, text/yaml'

/** The input that a body holds; no body is an empty table. Throws `unsupported_media`, `body_too_large`, `invalid_json`, `invalid_input`. */
export async function readBody(request: Request, limit = BODY_LIMIT): Promise<Json> {
  const value = await readValue(request, limit)
  checkBody(value)
  return value
}

/** The same without a look at its texts: what a terminal's environment holds is full of control characters. */
export async function readValue(request: Request, limit = BODY_LIMIT): Promise<Json> {
  const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? null
  if (type !== null && !JSON_TYPES.includes(type) && !YAML_TYPES.includes(type)) throw unsupported(type)
  const coding = request.headers.get('content-encoding')
  if (coding !== null && coding !== 'identity')
    throw new ReeveError('unsupported_media', { type: coding.slice(0, 100), allowed: 'no encoding' })
  const text = await readText(request, limit)
  if (text === '') return {}
  if (type === null) throw unsupported('of no type')
  return JSON_TYPES.includes(type) ? jsonOf(text) : yamlOf(text)
}

function unsupported(type: string): ReeveError {
  return new ReeveError('unsupported_media', { type: type.slice(0, 100), allowed: ALLOWED })
}

function jsonOf(text: string): Json {
  checkJson(text)
  return parseJson(text, 'the body')
}

async function yamlOf(text: string): Promise<Json> {
  if (text.length > YAML_LIMIT) throw new ReeveError('body_too_large', { limit: YAML_LIMIT })
  const { parseYaml } = await import('./yaml.ts')
  return parseYaml(text, 'the body')
}

async function readText(request: Request, limit: number): Promise<string> {
  const said = Number(request.headers.get('content-length') ?? Number.NaN)
  if (said > limit) throw new ReeveError('body_too_large', { limit })
  // The parser of the server holds a body to the length it said; without one it may never end.
  const bytes = Number.isNaN(said) ? await readCounted(request, limit) : new Uint8Array(await request.arrayBuffer())
  if (bytes.length > limit) throw new ReeveError('body_too_large', { limit })
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new ReeveError('invalid_json', { source: 'the body', problem: 'it is not UTF-8' })
  }
}

async function readCounted(request: Request, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of request.body ?? []) {
    length += chunk.length
    if (length > limit) throw new ReeveError('body_too_large', { limit })
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
