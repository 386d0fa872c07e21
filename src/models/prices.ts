import type { Cost } from '../core/run.ts'
import type { ProviderSettings } from '../core/settings.ts'
import type { RawTokens } from './guard.ts'
import prices from './prices.json' with { type: 'json' }

/** Only Anthropic reports such tokens, and asks a quarter more for them. */
const CACHE_WRITE = 1.25

/** US dollars per million tokens. */
export interface Price {
  input: number
  output: number
  cached: number
}

/**
 * The price of a model: the configured one, else the table's, else null. Makers add a date or "latest" to a name (`gpt-4.1-2025-04-14`):
 * that is the same model; any other ending is another one, whose price is not guessed.
 */
export function priceOf(model: string, settings: Pick<ProviderSettings, 'kind' | 'price'>): Price | null {
  const own = settings.price
  if (own) return { input: own.input, output: own.output, cached: own.cached_input ?? own.input }
  // The name alone says nothing about what a server of one's own, or a gateway, asks for it.
  if (settings.kind === 'openai-compatible') return null
  const bare = model.replace(/-(\d{4}-\d{2}-\d{2}|\d{8}|latest|0)$/, '')
  return prices.find((it) => it.model === model || it.model === bare) ?? null
}

/** What a call cost. null when the price or the tokens are not known: unknown is not free. */
export function costOf(tokens: RawTokens | null, price: Price | null): Cost {
  if (tokens === null || price === null) return null
  const written = tokens.written ?? 0
  const fresh = Math.max(0, tokens.input - tokens.cached - written)
  const input = fresh * price.input + tokens.cached * price.cached + written * price.input * CACHE_WRITE
  return (input + tokens.output * price.output) / 1_000_000
}
