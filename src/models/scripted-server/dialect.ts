import type { Json } from '../../core/json.ts'
import type { ScriptUsage } from './script.ts'

/** A tool as a request describes it. `schema`: JSON Schema of its arguments. */
export interface AskedTool {
  name: string
  schema: Json
}

/** What was said to the model, in order, as far as a script looks at it. */
export type AskedPart = { kind: 'system' | 'user'; text: string } | { kind: 'result' }

/** A request in any dialect. */
export interface Asked {
  model: string
  stream: boolean
  tools: AskedTool[]
  parts: AskedPart[]
}

export interface ReplyCall {
  id: string
  name: string
  input: { [key: string]: Json }
}

/** An answer, before it is put into a dialect. */
export interface Reply {
  /** Of the answer: the same request gives the same. */
  id: string
  model: string
  text: string
  calls: ReplyCall[]
  refused: boolean
  usage: ScriptUsage
}

export interface Problem {
  status: number
  kind: 'auth' | 'forbidden' | 'not_found' | 'context_too_long' | 'rate_limited' | 'quota' | 'server' | 'unavailable' | 'overloaded'
  message: string
}

/** How one API says it. Everything is pure. */
export interface ServerDialect {
  readonly name: 'anthropic' | 'openai-responses' | 'openai-chat' | 'google' | 'ollama'
  /** Content type of a stream. */
  readonly streamType: string
  /** `path`: some have the model, and whether to stream, in it. */
  read(body: Json, path: string): Asked
  /** The stream in pieces; sent one after the other. */
  stream(reply: Reply): string[]
  whole(reply: Reply): Json
  error(problem: Problem): Json
}

/** One server-sent event. `name`: where the dialect names its events. */
export function serverEvent(data: Json, name?: string): string {
  return `${name === undefined ? '' : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`
}

/** Text of a message's content: a string, or blocks of which some have text. */
export function textIn(content: Json | undefined): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content
    .map((it) => (it !== null && typeof it === 'object' && !Array.isArray(it) && typeof it['text'] === 'string' ? it['text'] : ''))
    .filter((it) => it !== '')
    .join('\n')
}
