import { setTimeout as sleep } from 'node:timers/promises'
import type { RawTokens } from '../../src/models/guard.ts'
import type { ProviderPlugin } from '../../src/models/plugin.ts'
import type { Situation } from '../../src/plugin/provider-promises.ts'

const TOKENS: RawTokens = { input: 3, output: 2, cached: 0 }

/** A plug-in for a model that is always in one situation. */
export function situational(situation: Situation, { tokens = TOKENS }: { tokens?: RawTokens | null } = {}): ProviderPlugin {
  return {
    kind: 'provider',
    create: ({ fail }) => ({
      model: 'made-up',
      async *answer({ signal }) {
        if (situation === 'unauthorized') throw fail('auth', 'The key is refused.')
        if (situation === 'overloaded') throw fail('overloaded', 'Too busy.')
        if (situation === 'limited') throw fail('rate_limited', 'Not so fast.', { retryAfterMs: 900_000 })
        if (situation === 'too-long') throw fail('context_too_long', 'Too much to read.')
        if (situation === 'unreachable') throw new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED 127.0.0.1:9') })
        if (situation === 'garbage') throw new SyntaxError('Unexpected token "<" is not valid JSON')
        if (situation === 'silence') await sleep(600_000, undefined, { signal })
        if (situation === 'flood') for (let n = 0; n < 300; n++) yield { type: 'text', text: 'x'.repeat(100_000) }
        if (situation === 'call') yield { type: 'call', call: { id: 'c1', name: 'look', input: { at: [1] } } }
        else yield { type: 'text', text: 'Good morning.' }
        yield { type: 'end', tokens, finish: situation === 'call' ? 'calls' : 'stop' }
      },
    }),
  }
}
