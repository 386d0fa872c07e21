import type { Json } from '../../src/core/json.ts'
import { type ProviderSettings, settingsSchema } from '../../src/core/settings.ts'
import type { GenerateRequest, ModelEvent, ModelProvider } from '../../src/models/port.ts'

/** Settings of one provider with all defaults. */
export function providerSettings(over: { [key: string]: Json }): ProviderSettings {
  const { p } = settingsSchema.parse({ providers: { p: over } }).providers as unknown as { p: ProviderSettings }
  return p
}

export function request(over: Partial<GenerateRequest> = {}): GenerateRequest {
  return {
    messages: [
      { role: 'system', text: 'You answer.' },
      { role: 'user', text: 'Say something.' },
    ],
    tools: [],
    origin: { run: 'r1', task: 't1', step: 'plan', role: 'architect', attempt: 1, turn: 0 },
    signal: new AbortController().signal,
    ...over,
  }
}

/** All events of one answer. */
export async function collect(provider: ModelProvider, over: Partial<GenerateRequest> = {}): Promise<ModelEvent[]> {
  return Array.fromAsync(provider.generate(request(over)))
}

export function textOf(events: readonly ModelEvent[]): string {
  return events.map((it) => (it.type === 'text' ? it.text : '')).join('')
}
