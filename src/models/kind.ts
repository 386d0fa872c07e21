import type { LanguageModel } from 'ai'

export interface ModelOptions {
  /** Without a final "/". */
  baseUrl: string
  model: string
  /** null: the server needs none. */
  key: string | null
  name: string
  fetch: typeof fetch
}

/** One dialect of model API: what differs between them, and nothing else. */
export interface ApiKind {
  /** Used when no `base_url` is configured; null: one must be. */
  baseUrl: string | null
  /** Environment variables that are tried for the key when `api_key_env` is not set; empty: no key needed. */
  keyVariables: readonly string[]
  /** Some models refuse a next turn that does not carry their own data of a tool call. */
  returnsCallData: boolean
  /** The server keeps what it has read only where it is told to; without that, each turn of an agent pays for all turns before it. */
  marksCache: boolean
  /** Headers for the free request that lists models: `health` uses it. */
  authHeaders(key: string | null): Record<string, string>
  model(options: ModelOptions): LanguageModel
}
