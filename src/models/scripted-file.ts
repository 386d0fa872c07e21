import { LineCounter, parseDocument } from 'yaml'
import { z } from 'zod'
import { problemOf, ReeveError } from '../core/errors.ts'
import type { Json } from '../core/json.ts'
import { PROVIDER_ERROR_CLASSES } from './port.ts'

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000 }

/** `200ms`, `30s`, `2m`, or a number of seconds; gives milliseconds. */
const duration = z.union([
  z
    .number()
    .min(0)
    .transform((it) => it * 1000),
  z
    .string()
    .regex(/^\d+(\.\d+)?(ms|s|m)$/, 'a duration such as 200ms, 30s or 2m')
    .transform((it) => Number.parseFloat(it) * (UNITS[it.replace(/^[\d.]+/, '')] ?? 1)),
])

const json: z.ZodType<Json> = z.json()
const callSchema = z.strictObject({ tool: z.string().min(1), input: z.record(z.string(), json).default({}) })

const turnShape = {
  text: z.string().optional(),
  calls: z.array(callSchema).min(1).optional(),
  /** A call whose arguments are no object: a string, a number, broken JSON. */
  raw_call: z.strictObject({ tool: z.string(), input: json.default(null) }).optional(),
  /** Bytes of filler text. */
  text_bytes: z.int().min(1).max(1_000_000_000).optional(),
  /** A stream that is no answer: the call ends with the class `bad_output`. */
  garbage: z.literal(true).optional(),
  fail: z.enum(PROVIDER_ERROR_CLASSES).optional(),
  problem: z.string().optional(),
  /** Seconds, with `fail: rate_limited` or `quota`. */
  retry_after: z.number().min(0).optional(),
  /** `fail` only this many times for the same call, then answer. Counted by run and step, in memory. */
  times: z.int().min(1).optional(),
  /** Wait, with the connection open and nothing said, then go on. Longer than `idle_timeout_seconds`: the call times out. */
  stall: duration.optional(),
  /** Wait as a slow model does. */
  delay: duration.optional(),
  /** Tokens to report instead of the estimate. */
  usage: z.strictObject({ input: z.int().min(0), output: z.int().min(0), cached: z.int().min(0).default(0) }).optional(),
}
const turnSchema = z
  .strictObject(turnShape)
  .refine(saysSomething, 'says nothing: give text, calls, raw_call, text_bytes, garbage, fail or stall')

const entrySchema = z
  .strictObject({
    role: z.string().optional(),
    /** Glob over the step's name. */
    step: z.string().optional(),
    task: z.string().optional(),
    attempt: z.int().min(1).optional(),
    /** From 0. */
    turn: z.int().min(0).optional(),
    turns: z.array(turnSchema).min(1).optional(),
    ...turnShape,
  })
  .refine((it) => it.turns !== undefined || saysSomething(it), 'says nothing: give "turns", or one turn such as "text"')
  .refine((it) => it.turns === undefined || !saysSomething(it), 'has both "turns" and a turn of its own; move it into "turns"')

function saysSomething(it: { [K in keyof typeof turnShape]?: unknown }): boolean {
  const said = [it.text, it.calls, it.raw_call, it.text_bytes, it.garbage, it.fail, it.stall]
  return said.some((one) => one !== undefined)
}

export type ScriptedTurn = z.infer<typeof turnSchema>
export type ScriptedEntry = z.infer<typeof entrySchema>
const fileSchema = z.strictObject({ replies: z.array(entrySchema).min(1) })

/** Reads a file of scripted replies. Throws `invalid_config` with file and line of the first mistake. */
export function parseReplies(text: string, file: string): ScriptedEntry[] {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true })
  const [broken] = [...document.errors, ...document.warnings]
  if (broken) {
    throw new ReeveError('invalid_config', {
      where: `${file}:${lines.linePos(broken.pos[0]).line}`,
      problem: broken.message.split('\n')[0] ?? '',
    })
  }
  const parsed = fileSchema.safeParse(plainValue(document, file))
  if (parsed.success) return parsed.data.replies

  const [issue] = parsed.error.issues
  const path = (issue?.path ?? []).map((it) => (typeof it === 'symbol' ? String(it) : it))
  const line = lineOf(document, lines, path)
  throw new ReeveError('invalid_config', {
    where: `${file}:${line}`,
    problem: `${path.length > 0 ? `${path.join('.')}: ` : ''}${issue?.message ?? 'is not a file of replies'}`,
  })
}

/** Throws on a bomb of aliases. */
function plainValue(document: ReturnType<typeof parseDocument>, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 })
  } catch (error) {
    throw new ReeveError('invalid_config', { where: file, problem: problemOf(error) })
  }
}

/** The line of a key, or of the nearest thing around it that is there. */
function lineOf(document: ReturnType<typeof parseDocument>, lines: LineCounter, path: readonly (string | number)[]): number {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true)
    const range = (node as { range?: [number, number, number] } | undefined)?.range
    if (range) return lines.linePos(range[0]).line
  }
  return 1
}
