import type { LanguageModel } from 'ai'
import type { Endpoint, EndpointDefaults } from './endpoint.ts'

export interface ModelOptions extends Endpoint {
  name: string
  fetch: typeof fetch
}

/** One dialect of model API: what differs between them, and nothing else. */
export interface ApiKind extends EndpointDefaults {
  /** Some models refuse a next turn that does not carry their own data of a tool call. */
  returnsCallData: boolean
  /** The server keeps what it has read only where it is told to; without that, each turn of an agent pays for all turns before it. */
  marksCache: boolean
  /** Headers for the free request that lists models: `health` uses it. */
  authHeaders(key: string | null): Record<string, string>
  model(options: ModelOptions): LanguageModel
}
