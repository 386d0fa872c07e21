import { ReeveError } from '../core/errors.ts'
import { isTooDeep, type Json, MAX_JSON_LEVELS } from '../core/json.ts'

// oxlint-disable-next-line no-control-regex -- they are what is looked for
const BREAKS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/

/** Fields that are text for people, of lines and with whatever a terminal has put into it; all others of an operation are ids, names and paths. */
const TEXTS = new Set(['sentence', 'text', 'comment'])

/** Refuses in a body what no schema sees: `__proto__`, numbers that were rounded, NUL, towers of levels. Throws `invalid_input`. */
export function checkBody(body: Json): void {
  if (isTooDeep(body)) throw odd(`nested deeper than ${MAX_JSON_LEVELS} levels`)
  walk(body, '')
}

/** Refuses control characters in the fields of an operation that are no text for people. Throws `invalid_input`. */
export function checkFields(fields: Readonly<Record<string, unknown>>): void {
  for (const [field, value] of Object.entries(fields)) if (!TEXTS.has(field)) checkLine(value, field)
}

/** Recursion is bounded by the levels. */
function walk(value: Json, at: string): void {
  if (typeof value === 'string' && value.includes('\0')) throw odd('NUL', at)
  if (typeof value === 'number' && (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value)))) {
    throw odd('a number that is too large', at)
  }
  if (value === null || typeof value !== 'object') return
  for (const [key, inner] of Object.entries(value)) {
    if (key === '__proto__' || key.includes('\0')) throw odd('a key that no table may have', at)
    walk(inner, at === '' ? key : `${at}.${key}`)
  }
}

/** A text of one line, or a list of them. */
function checkLine(value: unknown, field: string): void {
  const texts = Array.isArray(value) ? value : [value]
  if (texts.some((it) => typeof it === 'string' && BREAKS.test(it))) throw odd('a control character', field)
}

function odd(what: string, at = ''): ReeveError {
  return new ReeveError('invalid_input', { problem: `the body has ${what}${at === '' ? '' : ` at "${at.slice(0, 100)}"`}` })
}

/** Of one request; a text may be long, but a body of this many values is made to keep the daemon busy. */
const MOST_VALUES = 100_000

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a]
const [TABLE, TABLE_END, LIST, LIST_END] = [0x7b, 0x7d, 0x5b, 0x5d]

/**
 * Refuses JSON that readers understand differently, a key twice in one table, and JSON of too many values, before it is parsed. What is no JSON
 * passes: the parser says more of it. Throws `invalid_json`, `invalid_input`.
 */
export function checkJson(json: string): void {
  const open: (Set<string> | null)[] = []
  let values = 0
  let isKey = false
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at)
    if (code === QUOTE) {
      const end = endOfText(json, at)
      const keys = open.at(-1) ?? null
      if (isKey && keys !== null) addKey(keys, json.slice(at, end + 1))
      isKey = false
      at = end
      continue
    }
    if (code === COMMA || code === TABLE || code === LIST) {
      if (++values > MOST_VALUES) throw odd(`more than ${MOST_VALUES} values`)
      if (code !== COMMA) open.push(code === TABLE ? new Set() : null)
      isKey = (open.at(-1) ?? null) !== null
    }
    if (code === COLON) isKey = false
    if (code === TABLE_END || code === LIST_END) open.pop()
  }
}

/** Where the text that begins here ends. */
function endOfText(json: string, begin: number): number {
  let at = begin + 1
  while (at < json.length && json.charCodeAt(at) !== QUOTE) at += json.charCodeAt(at) === BACKSLASH ? 2 : 1
  return at
}

function addKey(keys: Set<string>, quoted: string): void {
  const key = quoted.includes('\\') ? unescaped(quoted) : quoted.slice(1, -1)
  if (keys.has(key)) throw new ReeveError('invalid_json', { source: 'the body', problem: `the key "${key.slice(0, 100)}" is there twice` })
  keys.add(key)
}

function unescaped(quoted: string): string {
  try {
    return String(JSON.parse(quoted))
  } catch {
    return quoted
  }
}
