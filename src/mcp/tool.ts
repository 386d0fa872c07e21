import type { CallToolResult, InputRequiredResult, ServerContext, ToolAnnotations } from '@modelcontextprotocol/server'
import { z } from 'zod'
import type { Client } from '../client/client.ts'
import { nearest, ReeveError } from '../core/errors.ts'
import { sentence } from '../operations/invoke.ts'

/** One call of a tool: by whom, and what may be asked of them. */
export interface Call {
  client: Client
  ctx: ServerContext
  /** Can the program of the caller show its person a question, and is there a way to it? */
  canAsk: boolean
  /** Does the caller follow tasks? */
  wantsTasks: boolean
  /** Signs what a caller brings back with its answer. */
  seal: (state: Sealed) => Promise<string>
  /** How often a call that waits says that it is alive. */
  progressMs: number
  /** Runs that are ready to go on: where no daemon works on them, this process does. */
  ready: (run: string) => void
  /** The handle of a run as a task of this caller. */
  taskId: (run: string) => string
}

/** What was asked, and of which run. */
export interface Sealed {
  run: string
  question: string
}

export type Answer = CallToolResult | InputRequiredResult

/** A tool as it is written down; `define` makes it a `Tool`. */
export interface ToolSpec<I extends z.ZodObject, O extends z.ZodObject> {
  name: string
  title: string
  description: string
  input: I
  output: O
  annotations: ToolAnnotations
  run(call: Call, input: z.output<I>): Promise<Answer>
}

export interface Tool {
  name: string
  title: string
  description: string
  inputSchema: JsonSchema
  outputSchema: JsonSchema
  output: z.ZodObject
  annotations: ToolAnnotations
  run(call: Call, input: unknown): Promise<Answer>
}

type JsonSchema = Record<string, unknown>

export function define<I extends z.ZodObject, O extends z.ZodObject>(spec: ToolSpec<I, O>): Tool {
  const { name, title, description, output, annotations } = spec
  return {
    name,
    title,
    description,
    inputSchema: plain(z.toJSONSchema(spec.input, { io: 'input' })),
    outputSchema: orError(plain(z.toJSONSchema(output, { io: 'output' }))),
    output,
    annotations,
    run: async (call, input) => spec.run(call, read(name, spec.input, input)),
  }
}

/** Some hosts hold errors against the schema as well, and would throw away what an error says. */
function orError(schema: JsonSchema): JsonSchema {
  const { type, properties } = schema as { type: string; properties: JsonSchema }
  return { type, properties: { ...properties, error: { type: 'object' } } }
}

/** Every host carries the definitions in each prompt: what says nothing is left out. */
function plain(schema: object): JsonSchema {
  const text = JSON.stringify(schema, (key, value: unknown) => {
    if (key === '$schema' || value === Number.MAX_SAFE_INTEGER || value === Number.MIN_SAFE_INTEGER) return undefined
    // Objects of an answer may have more; that is so by default.
    const empty = key === 'additionalProperties' && typeof value === 'object' && value !== null && Object.keys(value).length === 0
    return empty ? undefined : value
  })
  // oxlint-disable-next-line no-restricted-properties, no-restricted-syntax -- our own text of a line before
  return JSON.parse(text) as JsonSchema
}

/** Throws `invalid_input` that tells the next move. */
function read<I extends z.ZodObject>(name: string, schema: I, input: unknown): z.output<I> {
  const known = Object.keys(schema.shape)
  for (const field of Object.keys(typeof input === 'object' && input !== null ? input : {})) {
    if (known.includes(field)) continue
    const near = nearest(field, known)
    throw new ReeveError('invalid_input', {
      problem: `${name} takes no "${field}"; ${near === undefined ? `it takes: ${known.join(', ')}` : `did you mean "${near}"?`}`,
    })
  }
  const result = schema.safeParse(input ?? {})
  if (result.success) return result.data
  const problems = result.error.issues.map((it) => `${it.path.join('.') || 'input'}: ${sentence(it)}`)
  throw new ReeveError('invalid_input', { problem: `${name}: ${problems.join('; ')}` })
}
