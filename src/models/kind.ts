import type { LanguageModel } from 'ai'
import type { Json } from '../core/json.ts'
import type { Endpoint, EndpointDefaults } from './endpoint.ts'
import type { CallOrigin } from './port.ts'

export interface ModelOptions extends Endpoint {
  name: string
  /** More fields of the request's body; only where `isServer`. */
  more: { [key: string]: Json }
  fetch: typeof fetch
}

/** One dialect of model API: what differs between them, and nothing else. */
export interface ApiKind extends EndpointDefaults {
  /** Some models refuse a next turn that does not carry their own data of a tool call. */
  returnsCallData: boolean
  /** The server keeps what it has read only where it is told to; without that, each turn of an agent pays for all turns before it. */
  marksCache: boolean
  /** It may be any of several servers, with any model: it is asked what it is. */
  isServer?: true
  /** What the `ai` package is told besides, by the name of the maker. */
  options?(origin: CallOrigin): { [maker: string]: { [key: string]: Json } }
  /** Headers for the free request that lists models: `health` uses it. */
  authHeaders(key: string | null): Record<string, string>
  model(options: ModelOptions): LanguageModel
}
