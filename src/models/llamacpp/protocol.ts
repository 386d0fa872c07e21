/** What reeve and the engine's process say to each other: one JSON object a line. The process speaks first only when it dies. */
export type ToEngine =
  | { type: 'open'; engine: string; file: string; threads: number; contextTokens: number }
  | { type: 'generate'; id: number; ask: EngineAsk }
  /** Ends an answer early. */
  | { type: 'stop'; id: number }

export interface EngineAsk {
  /** System, user and assistant in turn, ending with what is to be answered. */
  messages: readonly { role: 'system' | 'user' | 'assistant'; text: string }[]
  /** GBNF that the answer must fit. */
  grammar: string | null
  maxTokens: number
  /** Room that must be left for the answer. */
  leastTokens: number
  temperature: number
  seed: number
}

export type FromEngine =
  /** `contextTokens`: what one call may have, prompt and answer together. */
  { type: 'ready'; contextTokens: number } | { type: 'failed'; problem: string } | Answered

/** What is said to one call; all but `text` end it. */
export type Answered =
  | { type: 'text'; id: number; text: string }
  | { type: 'done'; id: number; finish: 'stop' | 'length' | 'stopped'; input: number; cached: number; output: number }
  /** The prompt does not fit; nothing was asked. */
  | { type: 'too_long'; id: number; input: number; contextTokens: number }
  | { type: 'error'; id: number; problem: string }
