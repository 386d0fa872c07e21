import type { Json } from '../../core/json.ts'
import { countOf, fieldsOf, listOf } from '../json-fields.ts'

/** What a step wants to say to a tool, by meaning. */
export interface Meant {
  path?: string
  content?: string
  old?: string
  new?: string
  command?: string
}

/** What the tools of the various programs call it; lower case, without "_" and "-". */
const WORDS: Record<keyof Meant, readonly string[]> = {
  path: ['path', 'filepath', 'file', 'filename', 'absolutepath', 'targetfile', 'files', 'paths'],
  content: ['content', 'contents', 'filetext', 'text', 'newtext'],
  old: ['old', 'oldstring', 'oldstr', 'oldtext', 'search'],
  new: ['new', 'newstring', 'newstr', 'newtext', 'replace', 'replacement'],
  command: ['command', 'cmd', 'commandline', 'commands'],
}
const FILLER = 'scripted step'
const MOST_LEVELS = 5

/** Arguments that satisfy a tool's schema: what is meant, and something for everything else that is required. */
export function argumentsFor(schema: Json, meant: Meant): { [key: string]: Json } {
  return objectFor(schema, meant, 0) ?? {}
}

/** Has the schema a place for it? */
export function takes(schema: Json, what: keyof Meant): boolean {
  return Object.entries(fieldsOf(fieldsOf(schema)['properties'])).some(([name, it]) => {
    if (WORDS[what].includes(plain(name))) return true
    return takesInList(it, what)
  })
}

function takesInList(schema: Json | undefined, what: keyof Meant): boolean {
  const { items } = fieldsOf(schema)
  return items !== undefined && takes(items, what)
}

function objectFor(schema: Json, meant: Meant, level: number): { [key: string]: Json } | null {
  if (level > MOST_LEVELS) return null
  const { properties, required } = fieldsOf(schema)
  const needed = new Set(listOf(required))
  const made: { [key: string]: Json } = {}
  for (const [name, it] of Object.entries(fieldsOf(properties))) {
    const value = valueFor(name, it ?? {}, meant, level) ?? (needed.has(name) ? fillerFor(it ?? {}, level) : null)
    if (value !== null) made[name] = value
  }
  return made
}

/** null: nothing that is meant belongs there. */
function valueFor(name: string, schema: Json, meant: Meant, level: number): Json | null {
  const known = (Object.keys(WORDS) as (keyof Meant)[]).find((it) => meant[it] !== undefined && WORDS[it].includes(plain(name)))
  const value = known === undefined ? undefined : meant[known]
  const { items } = fieldsOf(schema)
  if (typeOf(schema) !== 'array') return value ?? null
  if (items !== undefined && typeOf(items) === 'object') {
    const inner = objectFor(items, meant, level + 1)
    return inner !== null && (value !== undefined || hasAny(items, meant)) ? [inner] : null
  }
  return value === undefined ? null : [value]
}

function hasAny(schema: Json, meant: Meant): boolean {
  return (Object.keys(meant) as (keyof Meant)[]).some((it) => meant[it] !== undefined && takes(schema, it))
}

function fillerFor(schema: Json, level: number): Json {
  const { enum: choices, default: usual, minimum } = fieldsOf(schema)
  if (usual !== undefined) return usual
  const [first] = listOf(choices)
  if (first !== undefined) return first
  const type = typeOf(schema)
  if (type === 'integer' || type === 'number') return countOf(minimum) ?? 1
  if (type === 'boolean') return false
  if (type === 'array') return []
  if (type === 'object') return objectFor(schema, {}, level + 1) ?? {}
  return FILLER
}

/** Lower case: one of the APIs writes `STRING`. */
function typeOf(schema: Json): string {
  const { type, anyOf, oneOf, properties } = fieldsOf(schema)
  if (typeof type === 'string') return type.toLowerCase()
  const [first] = listOf(type)
  if (typeof first === 'string') return first.toLowerCase()
  const [choice] = [...listOf(anyOf), ...listOf(oneOf)]
  if (choice !== undefined) return typeOf(choice)
  return properties === undefined ? 'string' : 'object'
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[_-]/g, '')
}
