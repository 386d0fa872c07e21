import { isTooDeep, type Json } from '../core/json.ts'

type Schema = { [key: string]: Json }

/** Rules that every grammar may use. White space is bounded: a small model would else write it until its limit. */
const BASE = {
  ws: '| " " | "\\n" [ \\t]{0,20}',
  string: '"\\"" char* "\\"" ',
  char: '[^"\\\\\\x7F\\x00-\\x1F] | "\\\\" (["\\\\bfnrt/] | "u" [0-9a-fA-F]{4})',
  // At most 15 digits: JavaScript holds them exactly; no exponent: it would be no integer for those who read it.
  integer: '"-"? ("0" | [1-9] [0-9]{0,14})',
  number: 'integer ("." [0-9]{1,15})?',
  boolean: '"true" | "false"',
  null: '"null"',
  value: 'object | array | string | number | boolean | null',
  object: '"{" ws (string ws ":" ws value ws ("," ws string ws ":" ws value ws)*)? "}"',
  array: '"[" ws (value ws ("," ws value ws)*)? "]"',
} as const

/** Beyond this a repetition is not counted out: engines build a state for each item. */
const MOST_COUNTED = 256

/**
 * The grammar (GBNF, as llama.cpp reads it) of texts that fit a JSON Schema. Properties come in the schema's order, optional ones may be
 * left out. What a grammar cannot say (most patterns, ranges) is left open: the answer is validated in any case.
 */
export function grammarOf(schema: Schema): string {
  const rules = new Map<string, string>()
  if (isTooDeep(schema)) return written('value', rules)
  return written(ruleFor(schema, 'root-value', { rules, root: schema, refs: new Map() }), rules)
}

function written(root: string, rules: ReadonlyMap<string, string>): string {
  const lines = [`root ::= ${root}`, ...[...rules].map(([name, body]) => `${name} ::= ${body}`)]
  return [...lines, ...Object.entries(BASE).map(([name, body]) => `${name} ::= ${body}`)].join('\n')
}

interface Work {
  rules: Map<string, string>
  root: Schema
  /** Rule of each `$ref` met so far; a schema may refer to itself. */
  refs: Map<string, string>
}

/** Name of a rule for this schema; made under `name` when no other rule says the same. */
function ruleFor(schema: Json | undefined, name: string, work: Work): string {
  if (!isSchema(schema)) return 'value'
  const body = bodyOf(schema, name, work)
  if (body in BASE || [...work.refs.values()].includes(body)) return body
  work.rules.set(name, body)
  return name
}

function bodyOf(schema: Schema, name: string, work: Work): string {
  const { $ref, const: constant, enum: choices, type } = schema
  const alternatives = schema['anyOf'] ?? schema['oneOf']
  if (typeof $ref === 'string') return referred($ref, name, work)
  if (constant !== undefined) return literal(constant)
  if (Array.isArray(choices)) return choices.map(literal).join(' | ')
  if (Array.isArray(alternatives)) return alternatives.map((it, at) => ruleFor(it, `${name}-${at}`, work)).join(' | ')
  if (Array.isArray(type)) return type.map((it, at) => ruleFor({ ...schema, type: it }, `${name}-${at}`, work)).join(' | ')
  if (type === 'object' || (type === undefined && isSchema(schema['properties']))) return objectBody(schema, name, work)
  if (type === 'array') return arrayBody(schema, name, work)
  if (type === 'string') return stringBody(schema)
  return typeof type === 'string' && type in BASE ? type : 'value'
}

function referred(ref: string, name: string, work: Work): string {
  const known = work.refs.get(ref)
  if (known !== undefined) return known
  const rule = `${name}-ref`
  work.refs.set(ref, rule)
  const path = ref.replace(/^#\/?/, '').split('/')
  const target = path.reduce<Json | undefined>((at, key) => (isSchema(at) ? at[key] : undefined), work.root)
  const made = ruleFor(target, rule, work)
  if (made !== rule) work.rules.set(rule, made)
  return rule
}

function stringBody({ minLength, maxLength, pattern }: Schema): string {
  const plain = typeof pattern === 'string' ? plainPattern(pattern) : null
  if (plain !== null) return plain
  const least = typeof minLength === 'number' ? minLength : 0
  const most = typeof maxLength === 'number' ? maxLength : Number.POSITIVE_INFINITY
  // An engine that is told of an impossible count does not come back.
  if (least > most || least > MOST_COUNTED || (least === 0 && most > MOST_COUNTED)) return 'string'
  return `"\\"" char{${least},${most > MOST_COUNTED ? '' : most}} "\\""`
}

/** Classes and letters with counts, and nothing that a text in JSON would have to escape: `^[a-z][a-z0-9-]{0,31}$`. */
const PIECE = /(\[[A-Za-z0-9 _.-]+\]|[A-Za-z0-9 _-])([*+?]|\{\d+(?:,\d*)?\})?/
const PLAIN = new RegExp(`^\\^((?:${PIECE.source})+)\\$$`)

/** The rule of a string with such a pattern; null for all other ones. */
function plainPattern(pattern: string): string | null {
  const [, body] = PLAIN.exec(pattern) ?? []
  if (body === undefined) return null
  const pieces = [...body.matchAll(new RegExp(PIECE, 'g'))]
  const rules = pieces.map(([, what = '', times = '']) => `${what.startsWith('[') ? what : `"${what}"`}${times}`)
  return `"\\"" ${rules.join(' ')} "\\""`
}

function arrayBody({ items, minItems, maxItems }: Schema, name: string, work: Work): string {
  const item = ruleFor(items, `${name}-item`, work)
  const least = typeof minItems === 'number' ? Math.min(minItems, MOST_COUNTED) : 0
  const most = typeof maxItems === 'number' && maxItems <= MOST_COUNTED && maxItems >= least ? maxItems : null
  if (most === 0) return '"[" ws "]"'
  const more = `("," ws ${item} ws){${Math.max(0, least - 1)},${most === null ? '' : most - 1}}`
  const filled = `${item} ws ${more}`
  return `"[" ws ${least === 0 ? `(${filled})?` : filled} "]"`
}

function objectBody(schema: Schema, name: string, work: Work): string {
  const { properties, required, additionalProperties } = schema
  const known = isSchema(properties) ? Object.entries(properties) : []
  if (known.length === 0) return freeObject(additionalProperties, name, work)
  const needed = new Set(Array.isArray(required) ? required : [])
  const members = known.map(([key, it], at) => ({
    text: `${literal(key)} ws ":" ws ${ruleFor(it, `${name}-${ruleName(key)}${at}`, work)} ws`,
    needed: needed.has(key),
  }))
  return `"{" ws ${membersFrom(members)} "}"`
}

interface Member {
  text: string
  needed: boolean
}

/** Members in order, commas only between them: before the first that must be there, each brings its comma behind it, after it in front. */
function membersFrom(members: readonly Member[]): string {
  const first = members.findIndex((it) => it.needed)
  const after = (from: number) => members.slice(from).map(({ text, needed }) => (needed ? `"," ws ${text}` : `("," ws ${text})?`))
  if (first >= 0) {
    const before = members.slice(0, first).map(({ text }) => `(${text} "," ws)?`)
    return [...before, members[first]?.text ?? '', ...after(first + 1)].join(' ')
  }
  // None must be there: one alternative for each that may be the first.
  return `(${members.map(({ text }, at) => [text, ...after(at + 1)].join(' ')).join(' | ')})?`
}

function freeObject(values: Json | undefined, name: string, work: Work): string {
  if (values === false) return '"{" ws "}"'
  if (!isSchema(values)) return 'object'
  const member = `string ws ":" ws ${ruleFor(values, `${name}-value`, work)} ws`
  return `"{" ws (${member} ("," ws ${member})*)? "}"`
}

function literal(value: Json): string {
  const text = JSON.stringify(value)
  return `"${text.replaceAll(/["\\]/g, '\\$&').replaceAll('\n', '\\n')}"`
}

function ruleName(key: string): string {
  return key.replaceAll(/[^A-Za-z0-9]+/g, '-').slice(0, 24)
}

function isSchema(value: Json | undefined): value is Schema {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}
