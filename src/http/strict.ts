import { ReeveError } from '../core/errors.ts'
import { isTooDeep, type Json, MAX_JSON_LEVELS } from '../core/json.ts'

/** C0 without tab and line breaks, and DEL: nothing that is meant has them. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/
/** In ids, names and paths not even these. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const BREAKS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/

/** Fields that are text for people, with lines; all others of the first level are ids, names and paths. */
const TEXTS = new Set(['sentence', 'text', 'comment', 'message', 'instruction', 'note', 'description', 'title'])

/** Refuses in a body what no schema sees: `__proto__`, numbers that were rounded, control characters, towers of levels. Throws `invalid_input`. */
export function checkBody(body: Json): void {
  if (isTooDeep(body)) throw odd(`nested deeper than ${MAX_JSON_LEVELS} levels`)
  walk(body, '')
  if (body === null || typeof body !== 'object' || Array.isArray(body)) return
  for (const [field, value] of Object.entries(body)) if (!TEXTS.has(field)) checkLine(value, field)
}

/** Recursion is bounded by the levels. */
function walk(value: Json, at: string): void {
  if (typeof value === 'string' && CONTROL.test(value)) throw odd('a control character', at)
  if (typeof value === 'number' && (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value)))) {
    throw odd('a number that is too large', at)
  }
  if (value === null || typeof value !== 'object') return
  for (const [key, inner] of Object.entries(value)) {
    if (key === '__proto__' || CONTROL.test(key)) throw odd('a key that no table may have', at)
    walk(inner, at === '' ? key : `${at}.${key}`)
  }
}

/** A text of one line, or a list of them. Throws `invalid_input`. */
export function checkLine(value: unknown, field: string): void {
  const texts = Array.isArray(value) ? value : [value]
  if (texts.some((it) => typeof it === 'string' && BREAKS.test(it))) throw odd('a control character', field)
}

function odd(what: string, at = ''): ReeveError {
  return new ReeveError('invalid_input', { problem: `the body has ${what}${at === '' ? '' : ` at "${at.slice(0, 100)}"`}` })
}

/** Tokens of JSON that has been parsed already: texts, and what opens, parts and closes. */
const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]/g

/** The first key that a table has twice, which readers of JSON understand differently; null: none. */
export function doubledKey(json: string): string | null {
  const open: (Set<string> | null)[] = []
  let before = ''
  for (const [token] of json.matchAll(TOKENS)) {
    if (token === '{') open.push(new Set())
    if (token === '[') open.push(null)
    if (token === '}' || token === ']') open.pop()
    const keys = open.at(-1) ?? null
    if (token.startsWith('"') && keys !== null && before !== ':') {
      const key = token.includes('\\') ? (JSON.parse(token) as string) : token.slice(1, -1)
      if (keys.has(key)) return key
      keys.add(key)
    }
    before = token
  }
  return null
}
