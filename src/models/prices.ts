import type { Cost } from '../core/run.ts'
import type { ProviderKind, ProviderSettings, Settings } from '../core/settings.ts'
import type { RawTokens } from './guard.ts'
import type { Price, Rates } from './port.ts'
import table from './prices.json' with { type: 'json' }

/** Makers ask a quarter more for tokens that they put into their cache, where their list says nothing else. */
const CACHE_WRITE = 1.25

const NO_PRICE: Price = { input: 0, output: 0, cached: 0, write: 0 }

type Priced = Pick<ProviderSettings, 'kind' | 'price'> & Partial<Pick<ProviderSettings, 'base_url' | 'model'>>

/** Whose list holds for a kind. The others say it in the name of the model (`anthropic/claude-...`), or nobody knows. */
const MAKERS: Partial<Record<ProviderKind, string>> = {
  anthropic: 'anthropic',
  claude: 'anthropic',
  openai: 'openai',
  codex: 'openai',
  google: 'google',
  gemini: 'google',
}
const OWN_MACHINE: readonly ProviderKind[] = ['scripted', 'replay', 'llamacpp', 'ollama']

/**
 * The price of a model: the provider's own, else the one in `[prices]`, else nothing for what runs on one's own machine, else the table's,
 * else null. Makers add a date, "latest" or "preview" to a name (`gpt-4.1-2025-04-14`): that is the same model; any other ending is another
 * one, whose price is not guessed.
 */
export function priceOf(model: string, settings: Priced, prices: Settings['prices'] = {}): Price | null {
  const bare = model.replace(/-(\d{4}-\d{2}-\d{2}|\d{8}|latest|preview|0)$/, '')
  const own = settings.price ?? named(prices, model) ?? named(prices, bare)
  if (own) return fromSettings(own)
  if (OWN_MACHINE.includes(settings.kind)) return runsElsewhere(model, settings.kind) ? null : NO_PRICE
  // The name alone says nothing about what a server of one's own, or a gateway, asks for it.
  if (settings.kind === 'openai-compatible') return null
  const maker = MAKERS[settings.kind] ?? (settings.base_url === undefined ? bare.split('/')[0] : undefined)
  const name = bare.slice(bare.lastIndexOf('/') + 1)
  return table.models.find((it) => it.maker === maker && it.model === name) ?? null
}

/** Servers choose the names of models: `constructor` is one, too. */
function named(prices: Settings['prices'], model: string): Settings['prices'][string] | undefined {
  return Object.hasOwn(prices, model) ? prices[model] : undefined
}

function fromSettings(own: NonNullable<ProviderSettings['price']>): Price {
  const price = { input: own.input, output: own.output, cached: own.cached_input ?? own.input }
  return own.cache_write === undefined ? price : { ...price, write: own.cache_write }
}

/** Ollama runs models of this name on the servers of its maker. */
function runsElsewhere(model: string, kind: ProviderKind): boolean {
  return kind === 'ollama' && model.endsWith('cloud')
}

/**
 * Does a provider cost no money per token, as far as a budget is concerned? What runs on one's own machine does not, nor does a server at a
 * loopback address whose price nobody has said: a gateway to a paid one needs its `price`.
 */
export function isFree(settings: Priced, prices: Settings['prices'] = {}): boolean {
  const price = priceOf(settings.model ?? '', settings, prices)
  if (price !== null) return price.input === 0 && price.output === 0
  // It takes a model of its maker's, which has a price, also through a gateway here.
  if (settings.model === undefined && MAKERS[settings.kind] !== undefined) return false
  return settings.base_url !== undefined && isLoopback(settings.base_url)
}

function isLoopback(address: string): boolean {
  const { hostname } = new URL(address)
  return hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname)
}

/** What a call cost. null when the price or the tokens are not known: unknown is not free. */
export function costOf(tokens: RawTokens | null, price: Price | null): Cost {
  if (price !== null && price.input === 0 && price.output === 0) return 0
  if (tokens === null || price === null) return null
  const rates = ratesFor(price, tokens.input)
  const written = tokens.written ?? 0
  const fresh = Math.max(0, tokens.input - tokens.cached - written)
  const input = fresh * rates.input + tokens.cached * rates.cached + written * writeRate(rates)
  return (input + tokens.output * rates.output) / 1_000_000
}

/** What a call costs at most: nothing of it comes from a cache, all of it goes into one. */
export function costAtMost(price: Price, inputTokens: number, outputTokens: number): number {
  const rates = ratesFor(price, inputTokens)
  return (inputTokens * Math.max(rates.input, writeRate(rates)) + outputTokens * rates.output) / 1_000_000
}

/** Tokens that an answer may have so that the call costs no more than this; below 1 when the money does not pay for the input alone. */
export function outputTokensFor(usd: number, price: Price, inputTokens: number): number {
  const rates = ratesFor(price, inputTokens)
  const left = usd - costAtMost(price, inputTokens, 0)
  if (rates.output === 0) return left < 0 ? 0 : Number.MAX_SAFE_INTEGER
  // A little more, for what is lost in counting with fractions.
  return Math.floor((left * 1_000_000) / rates.output + 1e-6)
}

function ratesFor(price: Price, inputTokens: number): Rates {
  return price.long !== undefined && inputTokens > price.long.above ? price.long : price
}

function writeRate(rates: Rates): number {
  return rates.write ?? rates.input * CACHE_WRITE
}
