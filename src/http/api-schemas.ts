import { z } from 'zod'
import { canonicalJson } from '../core/json.ts'
import { taskSchema } from '../core/task.ts'
import { verdictSchema } from '../core/verdict.ts'
import { runEventSchema, runSummarySchema, runViewSchema } from '../operations/shapes.ts'
import type { JsonSchema } from './routes.ts'

/** Shapes that occur in several answers, by the name that readers know them under. */
const NAMED = { Run: runViewSchema, RunSummary: runSummarySchema, RunEvent: runEventSchema, Task: taskSchema, Verdict: verdictSchema }

export interface Shared {
  schemas: Record<string, JsonSchema>
  /** A schema with the shapes that have a name replaced by it. */
  named(schema: JsonSchema): JsonSchema
}

export function sharedSchemas(): Shared {
  const whole = Object.entries(NAMED).map(([name, it]): [string, JsonSchema] => [name, outputSchema(it)])
  const names = new Map(whole.map(([name, it]) => [canonicalJson(it), name]))
  const replace = (value: unknown, top: boolean): unknown => {
    if (value === null || typeof value !== 'object') return value
    if (Array.isArray(value)) return value.map((it) => replace(it, false))
    const name = top ? undefined : names.get(canonicalJson(value))
    if (name !== undefined) return { $ref: `#/components/schemas/${name}` }
    return Object.fromEntries(Object.entries(value).map(([key, it]) => [key, replace(it, false)]))
  }
  return {
    schemas: Object.fromEntries(whole.map(([name, it]) => [name, replace(it, true) as JsonSchema])),
    named: (schema) => replace(schema, false) as JsonSchema,
  }
}

export function outputSchema(schema: z.ZodType): JsonSchema {
  return tidy(z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' })) as JsonSchema
}

/** Without what says nothing: the bounds of all whole numbers, the dialect, and the definition of "any JSON" in terms of itself. */
export function tidy(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map(tidy)
  const { $schema: _dialect, $defs: _defs, ...rest } = value as Record<string, unknown>
  if (typeof rest['$ref'] === 'string' && rest['$ref'].startsWith('#/$defs/')) return {}
  if (rest['minimum'] === Number.MIN_SAFE_INTEGER) delete rest['minimum']
  if (rest['maximum'] === Number.MAX_SAFE_INTEGER) delete rest['maximum']
  return Object.fromEntries(Object.entries(rest).map(([key, it]) => [key, tidy(it)]))
}
