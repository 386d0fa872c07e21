import type { ModelMessage as AiMessage, SystemModelMessage } from 'ai'
import type { Json } from '../core/json.ts'
import type { ApiKind } from './kind.ts'
import type { ModelMessage } from './port.ts'

/** Up to here the next call will begin the same way: the server may keep its work on it. Read by Anthropic's dialect only. */
const CACHE_POINT = { anthropic: { cacheControl: { type: 'ephemeral' } } }

/** Our messages as the `ai` package wants them: system texts apart, the rest in order. */
export function toAi(messages: readonly ModelMessage[], kind: ApiKind): { instructions: SystemModelMessage[]; messages: AiMessage[] } {
  const mark = kind.marksCache ? { providerOptions: CACHE_POINT } : {}
  const system = messages.flatMap((it) => (it.role === 'system' ? [it.text] : []))
  const instructions = system.length === 0 ? [] : [{ role: 'system' as const, content: system.join('\n\n'), ...mark }]
  const rest = messages.flatMap((it) => messageOf(it, kind))
  const last = rest.at(-1)
  return { instructions, messages: last === undefined ? [] : [...rest.slice(0, -1), { ...last, ...mark }] }
}

function messageOf(message: ModelMessage, kind: ApiKind): AiMessage[] {
  if (message.role === 'system') return []
  if (message.role === 'user') return [{ role: 'user', content: message.text }]
  if (message.role === 'tool') {
    const content = message.results.map((it) => ({
      type: 'tool-result' as const,
      toolCallId: it.id,
      toolName: it.name,
      output: { type: it.isError ? ('error-text' as const) : ('text' as const), value: it.text },
    }))
    return [{ role: 'tool', content }]
  }
  const text = message.text === '' ? [] : [{ type: 'text' as const, text: message.text }]
  const calls = message.calls.map((it) => ({
    type: 'tool-call' as const,
    toolCallId: it.id,
    toolName: it.name,
    // Arguments that were no object are told back in one: no API takes anything else.
    input: it.input !== null && typeof it.input === 'object' && !Array.isArray(it.input) ? it.input : { malformed: it.input },
    ...(kind.returnsCallData && it.providerData !== undefined
      ? { providerOptions: it.providerData as Record<string, Record<string, Json>> }
      : {}),
  }))
  // An answer of nothing is not sent back: some servers refuse it.
  return text.length + calls.length === 0 ? [] : [{ role: 'assistant', content: [...text, ...calls] }]
}
