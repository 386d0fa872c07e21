import { z } from 'zod'
import { problemOf } from '../../core/errors.ts'
import { isTooDeep, type Json, MAX_JSON_LEVELS, parseJson } from '../../core/json.ts'

export type Checked = { ok: true; value: Json } | { ok: false; problem: string }
export type JsonSchema = { [key: string]: Json }

/** A function that says whether a value has the shape of a JSON Schema, and if not what is wrong, for the model. */
export function checker(schema: JsonSchema): (value: Json) => Checked {
  const type = z.fromJSONSchema(schema)
  return (value) => {
    if (isTooDeep(value)) return { ok: false, problem: `it is nested deeper than ${MAX_JSON_LEVELS} levels` }
    const parsed = type.safeParse(value)
    if (parsed.success) return { ok: true, value }
    const issues = parsed.error.issues.slice(0, 8).map((it) => `${it.path.map(String).join('.') || 'the answer'}: ${it.message}`)
    return { ok: false, problem: issues.join('; ') }
  }
}

/** Finds the answer in a text: the text itself, the last fenced block that fits, or the outermost object or array. */
export function answerIn(text: string, check: (value: Json) => Checked): Checked {
  const candidates = [text.trim(), ...fencedBlocks(text).toReversed(), ...outermost(text)]
  let problem = ''
  for (const candidate of candidates) {
    const value = parsed(candidate)
    if (value === undefined) continue
    const checked = check(value)
    if (checked.ok) return checked
    problem ||= checked.problem
  }
  return { ok: false, problem: problem || whyNoJson(text) }
}

function fencedBlocks(text: string): string[] {
  return [...text.matchAll(/```[\w-]*[ \t]*\r?\n([\s\S]*?)\r?\n?```/g)].map((it) => it[1] ?? '')
}

function outermost(text: string): string[] {
  return (['{}', '[]'] as const).flatMap(([open, close]) => {
    const from = text.indexOf(open ?? '')
    const to = text.lastIndexOf(close ?? '')
    return from >= 0 && to > from ? [text.slice(from, to + 1)] : []
  })
}

function parsed(text: string): Json | undefined {
  if (!/^[[{"\d\-tfn]/.test(text.trim())) return undefined
  try {
    return parseJson(text, 'the answer')
  } catch {
    return undefined
  }
}

function whyNoJson(text: string): string {
  if (text.trim() === '') return 'the answer is empty'
  try {
    parseJson(fencedBlocks(text).at(-1) ?? outermost(text)[0] ?? text.trim(), 'the answer')
    return 'the answer holds no JSON value of the wanted shape'
  } catch (error) {
    return problemOf(error)
  }
}
