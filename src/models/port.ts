import type { Json } from '../core/json.ts'
import type { Cost, Usage } from '../core/run.ts'

/** Why a provider could not answer. What to do next follows from the class, never from the text. */
export const PROVIDER_ERROR_CLASSES = [
  /** The key or the log-in is refused. */
  'auth',
  /** Too many requests for now; `retryAt` says until when. */
  'rate_limited',
  /** What was paid for is used up; `retryAt` says until when, where it comes back by itself. */
  'quota',
  'overloaded',
  'server',
  'network',
  'timeout',
  'refused',
  'context_too_long',
  /** There is no such model, or not for this account. */
  'model',
  /** The provider, or the CLI, is not set up to work here. */
  'config',
  'bad_output',
  'crashed',
  'aborted',
] as const
export type ProviderErrorClass = (typeof PROVIDER_ERROR_CLASSES)[number]

export interface ToolSpec {
  name: string
  description: string
  /** JSON Schema of the arguments, an object. */
  input: { [key: string]: Json }
}

export interface ToolCall {
  id: string
  name: string
  /** As the model gave it: may be anything, also a string that is no JSON. The loop validates. */
  input: Json
  /** What the provider wants back with the call in the next turn, such as a signature; nobody else reads it. */
  providerData?: Json
}

export type ModelMessage =
  | { role: 'system'; text: string }
  | { role: 'user'; text: string }
  | { role: 'assistant'; text: string; calls: ToolCall[] }
  | { role: 'tool'; results: { id: string; name: string; text: string; isError: boolean }[] }

/** Who asks, for headers and records. */
export interface CallOrigin {
  run: string
  task: string
  step: string
  role: string
  attempt: number
  /** From 0, the turn within the step. Scripted replies are chosen by role and turn. */
  turn: number
}

export interface GenerateRequest {
  messages: ModelMessage[]
  tools: ToolSpec[]
  /** JSON Schema the final text must satisfy, where the provider can be told. The caller validates in any case. */
  schema?: { [key: string]: Json }
  /** At most; the provider's own limit holds in any case. */
  maxOutputTokens?: number
  origin: CallOrigin
  /** Another provider could take over: do not wait long for this one. */
  replaceable?: boolean
  signal: AbortSignal
}

/** The stream of one answer. It ends with exactly one `done` or `error`; it does not throw. */
export type ModelEvent =
  | { type: 'text'; text: string }
  | { type: 'call'; call: ToolCall }
  | { type: 'retrying'; class: ProviderErrorClass; problem: string; inMs: number }
  | { type: 'done'; usage: Usage; cost: Cost; finish: 'stop' | 'length' | 'calls' | 'refused' | 'other' }
  | { type: 'error'; class: ProviderErrorClass; problem: string /** Epoch ms. */; retryAt?: number; usage: Usage; cost: Cost }

export interface Rates {
  input: number
  output: number
  /** Read from the maker's cache. */
  cached: number
  /** Put into it. */
  write?: number
}
/** US dollars per million tokens. `long`: of calls with more input tokens than `above`. */
export interface Price extends Rates {
  long?: Rates & { above: number }
}

/** One configured provider. Reference adapter: `scripted.ts`. A new one is a new file, one line in `create.ts`, and a green conformance suite. */
export interface ModelProvider {
  readonly name: string
  readonly model: string
  /** `outputTokens`: of one answer, at most. */
  readonly capabilities: { tools: boolean; schema: boolean; contextTokens: number; outputTokens?: number }
  /**
   * Asks the server, not the model, what the model can do: `capabilities` holds it afterwards. Asked again only when it was not told; takes
   * about two seconds at most, and does not throw. Absent: `capabilities` is always right.
   */
  learn?(signal: AbortSignal): Promise<void>
  /** What its calls cost, where that is known: a call is made only when the budget has room for it. */
  readonly price?: Price | null
  /** Streams one answer. Retries, time-outs and back-off happen inside; what comes out as `error` is final. */
  generate(request: GenerateRequest): AsyncIterable<ModelEvent>
  /** Is it usable now, without a paid call? Says why not. */
  health(signal: AbortSignal): Promise<{ ok: boolean; detail: string }>
  /** Ends what it keeps running, such as an engine with its model; a later call starts it again. Whoever made the provider calls it. */
  close?(): Promise<void>
}
