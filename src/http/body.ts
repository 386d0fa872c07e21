import { ReeveError } from '../core/errors.ts'
import { isTooDeep, type Json, MAX_JSON_LEVELS, parseJson } from '../core/json.ts'

/** Task files of hundreds of tasks fit; what is larger is no request. */
export const BODY_LIMIT = 1024 * 1024

const JSON_TYPES = ['application/json']
const YAML_TYPES = ['application/yaml', 'application/x-yaml', 'text/yaml']
const ALLOWED = 'application/json, application/yaml, text/yaml'

/** The input that a body holds. Throws `unsupported_media`, `body_too_large`, `invalid_json`, `invalid_input`. */
export async function readBody(request: Request, limit = BODY_LIMIT): Promise<Json> {
  const type = (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
  if (!JSON_TYPES.includes(type) && !YAML_TYPES.includes(type)) {
    throw new ReeveError('unsupported_media', { type: type.slice(0, 100), allowed: ALLOWED })
  }
  const coding = request.headers.get('content-encoding')
  if (coding !== null && coding !== 'identity')
    throw new ReeveError('unsupported_media', { type: coding.slice(0, 100), allowed: 'no encoding' })
  const text = await readText(request, limit)
  if (text.trim() === '') return {}
  const value = JSON_TYPES.includes(type) ? parseJson(text, 'the body') : await yamlOf(text)
  if (isTooDeep(value)) throw new ReeveError('invalid_input', { problem: `the body is nested deeper than ${MAX_JSON_LEVELS} levels` })
  return value
}

async function yamlOf(text: string): Promise<Json> {
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
