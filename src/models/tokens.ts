import type { GenerateRequest, ModelMessage } from './port.ts'

/** Characters per token: near enough for English, code and JSON. */
export const CHARS_PER_TOKEN = 3.6

/** Tokens a request is about to send, roughly: for limits and for what no server counts. */
export function estimateTokens(request: Pick<GenerateRequest, 'messages' | 'tools'>): number {
  return Math.ceil(charsOf(request) / CHARS_PER_TOKEN)
}

/** Characters of a request that a model reads. */
export function charsOf({ messages, tools }: Pick<GenerateRequest, 'messages' | 'tools'>): number {
  const specs = tools.length === 0 ? 0 : JSON.stringify(tools).length
  return messages.reduce((sum, it) => sum + messageChars(it), specs)
}

export function messageChars(message: ModelMessage): number {
  if (message.role === 'tool') return message.results.reduce((sum, it) => sum + it.text.length, 0)
  if (message.role !== 'assistant') return message.text.length
  return message.text.length + message.calls.reduce((sum, it) => sum + JSON.stringify(it.input).length, 0)
}
