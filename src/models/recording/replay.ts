import type { CallOrigin, ModelEvent, ModelProvider, ProviderErrorClass } from '../port.ts'
import { askedOf, type Cassette } from './cassette.ts'

export interface ReplayOptions {
  name: string
  cassette: Cassette
  tools: boolean
  /** Something else is asked than when it was recorded; the recorded answer is given all the same. */
  differs?: (origin: CallOrigin) => void
}

/** A provider that answers what a recorded run was answered, turn by turn of each step: without a model, and free. */
export function createReplay({ name, cassette, tools, differs }: ReplayOptions): ModelProvider {
  return {
    name,
    model: 'recording',
    // What fitted then fits now.
    capabilities: { tools, schema: true, contextTokens: Number.MAX_SAFE_INTEGER },
    async *generate({ messages, tools: given, schema, origin, signal }): AsyncGenerator<ModelEvent> {
      const usage = { inputTokens: 0, outputTokens: 0, cachedInputTokens: 0, requests: 0 }
      if (signal.aborted) {
        yield { type: 'error', class: 'aborted', problem: 'The call was aborted.', usage, cost: 0 }
        return
      }
      const exchange = cassette.model(origin)
      if (exchange === null && endedBefore(cassette, origin)) {
        yield { type: 'text', text: 'The recorded step ended here.' }
        yield { type: 'done', usage, cost: 0, finish: 'stop' }
        return
      }
      if (exchange === null) {
        const problem = `The recording has no answer for turn ${origin.turn} of step "${origin.step}" (${origin.role}).`
        yield { type: 'error', class: 'refused', problem, usage, cost: 0 }
        return
      }
      if (exchange.asked !== askedOf({ messages, tools: given, ...(schema === undefined ? {} : { schema }) })) differs?.(origin)
      for (const event of exchange.events) if (event.type !== 'retrying') yield unpaid(event)
    },
    health: async () => ({ ok: true, detail: `${cassette.size} exchanges in ${cassette.path}` }),
  }
}

/** Was it answered until this turn, and then ended by a limit that a replay does not come to, of time or of money? */
function endedBefore(cassette: Cassette, { step, turn }: CallOrigin): boolean {
  return turn > 0 && cassette.model({ step, turn: turn - 1 })?.events.at(-1)?.type === 'done'
}

/** Tokens are shown as they were; nothing is paid for them again. */
function unpaid(event: ModelEvent): ModelEvent {
  if (event.type === 'done') return { ...event, cost: 0 }
  if (event.type !== 'error') return event
  const { retryAt: _then, ...rest } = event
  return { ...rest, class: classNow(event.class), cost: 0 }
}

/** The recording ends with a limit that nothing came after: waiting brings no other answer now. */
export function classNow(kind: ProviderErrorClass): ProviderErrorClass {
  return kind === 'rate_limited' || kind === 'quota' ? 'refused' : kind
}
