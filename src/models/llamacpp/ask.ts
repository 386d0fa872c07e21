import { createHash } from 'node:crypto'
import type { ProviderSettings } from '../../core/settings.ts'
import { grammarOf } from '../grammar.ts'
import type { CallOrigin, GenerateRequest, ModelMessage } from '../port.ts'
import type { EngineAsk } from './protocol.ts'

/** A call as the engine is asked. */
export function askOf(request: GenerateRequest, settings: ProviderSettings, contextTokens: number): EngineAsk {
  const maxTokens = Math.max(1, Math.min(request.maxOutputTokens ?? settings.max_tokens, settings.max_tokens))
  return {
    messages: spoken(request.messages),
    grammar: request.schema === undefined ? null : grammarOf(request.schema),
    maxTokens,
    leastTokens: Math.min(maxTokens, Math.floor(contextTokens / 4)),
    temperature: settings.temperature ?? 0,
    seed: seedOf(request.origin),
  }
}

/** Many templates want two voices in turn: what one of them says in a row becomes one. */
function spoken(messages: readonly ModelMessage[]): EngineAsk['messages'] {
  const result: { role: 'system' | 'user' | 'assistant'; text: string }[] = []
  for (const message of messages) {
    const role = message.role === 'tool' ? 'user' : message.role
    const text = message.role === 'tool' ? message.results.map((it) => it.text).join('\n\n') : message.text
    const last = result.at(-1)
    if (last?.role === role) last.text += `\n\n${text}`
    else result.push({ role, text })
  }
  return result
}

/** The same step tried again says the same, another attempt something else. */
function seedOf({ run, step, attempt, turn }: CallOrigin): number {
  return createHash('sha256')
    .update(JSON.stringify([run, step, attempt, turn]))
    .digest()
    .readUInt32LE()
}
