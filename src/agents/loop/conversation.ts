import type { Json } from '../../core/json.ts'
import type { ModelMessage, ToolCall, ToolSpec } from '../../models/port.ts'
import { capText } from '../tools/cap.ts'

/** Near enough for English, code and JSON; what the provider counts is used for money. */
const CHARS_PER_TOKEN = 3.6
const PER_MESSAGE = 8
/** Room for the answer, never more than a quarter of a small model's memory. */
const ANSWER_TOKENS = 8192
/** Condensing goes down to this part of the room: doing a little at each turn would spoil the provider's cache each time. */
const CONDENSE_TO = 0.7
/** The newest results stay whole as long as possible: the agent is working with them. */
const KEPT_RESULTS = 2
const LONG_ARGUMENT = 400

export function tokensOf(messages: readonly ModelMessage[]): number {
  return Math.ceil(messages.reduce((sum, it) => sum + charsOf(it) / CHARS_PER_TOKEN + PER_MESSAGE, 0))
}

/** Tokens the messages may have, so that tools and answer fit too. */
export function roomFor(contextTokens: number, tools: readonly ToolSpec[]): number {
  return Math.floor(contextTokens - Math.min(ANSWER_TOKENS, contextTokens / 4) - specTokens(tools))
}

/** Tokens that the descriptions of the tools take, in every call. */
export function specTokens(tools: readonly ToolSpec[]): number {
  return JSON.stringify(tools).length / CHARS_PER_TOKEN
}

/**
 * Makes the messages fit by leaving out what can be read again: first the oldest tool results, then long arguments of old calls,
 * then the middle of the newest results. Goal and rules are never touched. `fits: false`: they alone are too long.
 */
export function condense(messages: readonly ModelMessage[], room: number): { messages: ModelMessage[]; fits: boolean } {
  if (tokensOf(messages) <= room) return { messages: [...messages], fits: true }
  const target = Math.floor(room * CONDENSE_TO)
  const result = [...messages]
  const results = result.flatMap((it, at) => (it.role === 'tool' ? [at] : []))
  const oldest = results.slice(0, Math.max(0, results.length - KEPT_RESULTS))
  const newest = results.slice(oldest.length)
  const calls = result.flatMap((it, at) => (it.role === 'assistant' && it.calls.length > 0 ? [at] : []))

  const steps: [number[], (message: ModelMessage) => ModelMessage][] = [
    [oldest, (it) => shortenResults(it, 200)],
    [calls.slice(0, -1), shortenCalls],
    [newest, (it) => shortenResults(it, 4000)],
    [newest, (it) => shortenResults(it, 400)],
    [calls, shortenCalls],
  ]
  for (const [places, shorten] of steps) {
    for (const at of places) {
      if (tokensOf(result) <= target) return { messages: result, fits: true }
      const message = result[at]
      if (message) result[at] = shorten(message)
    }
  }
  return { messages: result, fits: tokensOf(result) <= room }
}

function shortenResults(message: ModelMessage, max: number): ModelMessage {
  if (message.role !== 'tool') return message
  return { ...message, results: message.results.map((it) => ({ ...it, text: shortened(it.name, it.text, max) })) }
}

function shortened(name: string, text: string, max: number): string {
  if (text.length <= max) return text
  if (max > 200) return capText(text, max)
  return `[the result of ${name}, ${text.length} characters, was left out to save room; call it again if you need it]`
}

function shortenCalls(message: ModelMessage): ModelMessage {
  if (message.role !== 'assistant') return message
  return { ...message, calls: message.calls.map((it): ToolCall => ({ ...it, input: shortenJson(it.input) })) }
}

function shortenJson(value: Json): Json {
  if (typeof value === 'string') return value.length > LONG_ARGUMENT ? `[${value.length} characters left out]` : value
  if (Array.isArray(value)) return value.map(shortenJson)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, it]) => [key, shortenJson(it)]))
}

function charsOf(message: ModelMessage): number {
  if (message.role === 'tool') return message.results.reduce((sum, it) => sum + it.text.length + it.name.length, 0)
  if (message.role !== 'assistant') return message.text.length
  return message.text.length + message.calls.reduce((sum, it) => sum + it.name.length + JSON.stringify(it.input).length, 0)
}
