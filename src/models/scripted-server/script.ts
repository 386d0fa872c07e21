import { readFile } from 'node:fs/promises'
import { parseDocument } from 'yaml'
import { z } from 'zod'
import { problemOf, ReeveError } from '../../core/errors.ts'
import type { Json } from '../../core/json.ts'

/** What a scripted server plays, and how it misbehaves: see README.md. */
const json: z.ZodType<Json> = z.json()

const usageSchema = z.strictObject({
  /** All that was read, with what came from the cache and what was put into it. */
  input: z.int().min(0),
  output: z.int().min(0),
  cached: z.int().min(0).default(0),
  written: z.int().min(0).default(0),
})

/** One answer of the model: exactly one of these, besides `text` and `usage`. */
const actions = {
  /** Read a file. Paths are from the folder that the program works in. */
  read: z.string().min(1),
  /** Replace a text that is there once. */
  edit: z.strictObject({ path: z.string().min(1), old: z.string(), new: z.string() }),
  write: z.strictObject({ path: z.string().min(1), content: z.string() }),
  /** Run a command line. */
  run: z.string().min(1),
  /** A tool by the name that the program gives it, with these arguments. */
  call: z.strictObject({ tool: z.string().min(1), input: z.record(z.string(), json).default({}) }),
  /** Say this, and stop. */
  say: z.string(),
  /** Answer with data, and stop: by the tool for that where there is one, else as text. */
  answer: json,
  /** Decline. */
  refuse: z.string(),
}
const ACTIONS = Object.keys(actions)

const stepSchema = z
  .strictObject({
    ...Object.fromEntries(Object.entries(actions).map(([name, schema]) => [name, schema.optional()])),
    /** Said with the call. */
    text: z.string().optional(),
    usage: usageSchema.optional(),
  })
  .refine((it) => Object.keys(it).filter((key) => ACTIONS.includes(key)).length === 1, `give exactly one of ${ACTIONS.join(', ')}`)

type Actions = { [K in keyof typeof actions]: z.infer<(typeof actions)[K]> }
export type ScriptUsage = z.infer<typeof usageSchema>
export type ScriptStep = { text?: string | undefined; usage?: z.input<typeof usageSchema> | undefined } & Partial<Actions>

const pattern = z.string().refine(isPattern, 'is not a regular expression')

const sceneSchema = z.strictObject({
  /** Regular expression over what the request says (system prompt, messages of the user). Absent: every request with tools. */
  when: pattern.optional(),
  steps: z.array(stepSchema).min(1),
})
export interface Scene {
  when?: string | undefined
  steps: readonly ScriptStep[]
}

export const FAULTS = [
  'auth',
  'forbidden',
  'not_found',
  'context_too_long',
  'rate_limited',
  'quota',
  'server',
  'unavailable',
  'overloaded',
  'stall',
  'stall_in_stream',
  'malformed',
  'cut',
  'reset',
  'refusal',
] as const
export type Fault = (typeof FAULTS)[number]

const behaviourSchema = z.strictObject({
  /** What goes wrong. Absent: only `delay_ms`. */
  fault: z.enum(FAULTS).optional(),
  /** Numbers of the requests to a model that this is for, from 1. Absent: all. */
  on: z.array(z.int().min(1)).optional(),
  /** Only so many times, then all is well. */
  times: z.int().min(1).optional(),
  /** Only for requests that say this. */
  when: pattern.optional(),
  /** Seconds that are asked for, with a fault that has a status. */
  retry_after: z.number().min(0).optional(),
  /** Instead of the fault's own. */
  status: z.int().min(400).max(599).optional(),
  message: z.string().optional(),
  /** Wait so long before the answer. */
  delay_ms: z.int().min(0).optional(),
})
export type Behaviour = z.infer<typeof behaviourSchema>

const scriptSchema = z
  .strictObject({
    scenes: z.array(sceneSchema).default([]),
    /** Short for one scene without a pattern, after the others. */
    steps: z.array(stepSchema).min(1).optional(),
    behaviour: z.array(behaviourSchema).default([]),
  })
  .refine((it) => it.scenes.length > 0 || it.steps !== undefined, 'has neither "steps" nor "scenes"')

export interface Script {
  scenes: readonly Scene[]
  behaviour: readonly Behaviour[]
}

/** Reads a script, as an object. Throws `invalid_config` that names the mistake. */
export function parseScript(value: unknown, where: string): Script {
  const parsed = scriptSchema.safeParse(value)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const path = (issue?.path ?? []).join('.')
    throw new ReeveError('invalid_config', { where, problem: `${path === '' ? '' : `${path}: `}${issue?.message ?? 'is not a script'}` })
  }
  const { scenes, steps, behaviour } = parsed.data
  // What the schema has checked has exactly the keys of `ScriptStep`; zod cannot say so of keys that were computed.
  return { scenes: [...scenes, ...(steps === undefined ? [] : [{ steps }])] as Scene[], behaviour }
}

/** Reads a script from a YAML file. */
export async function readScript(file: string): Promise<Script> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new ReeveError('invalid_config', { where: file, problem: problemOf(error) })
  })
  const document = parseDocument(text, { uniqueKeys: true })
  const [broken] = document.errors
  if (broken) throw new ReeveError('invalid_config', { where: file, problem: broken.message.split('\n')[0] ?? '' })
  return parseScript(document.toJS({ maxAliasCount: 100 }), file)
}

function isPattern(text: string): boolean {
  try {
    return new RegExp(text).source !== ''
  } catch {
    return false
  }
}
