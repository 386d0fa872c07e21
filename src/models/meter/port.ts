import type { Cost, Usage } from '../../core/run.ts'
import type { Admission } from '../admission.ts'
import type { RawTokens } from '../guard.ts'
import type { CallOrigin, ProviderErrorClass } from '../port.ts'

/** Dialects that are read. Which one a request is in is told by its path. */
export const METER_DIALECTS = ['anthropic', 'openai-responses', 'openai-chat', 'google'] as const
export type MeterDialect = (typeof METER_DIALECTS)[number]

export interface MeterOptions {
  /** The provider's `base_url`, with or without the version at its end (`/v1`). */
  upstream: string
  /** Dialects that are let through. Absent: all. */
  dialects?: readonly MeterDialect[]
  /** The provider's key; null: it needs none. The program never sees it. */
  key: string | null
  /** More headers for the provider. `{run}`, `{step}`, `{role}`, `{task}`, `{attempt}` are replaced. */
  headers?: Readonly<Record<string, string>>
  fetch?: typeof fetch
  /** Where the socket's own folder is made, which nobody else may enter; null: there is no socket. */
  folder: 'temporary' | (string & {}) | null
  /** Listen at a port of the machine's loopback too: for a program that has no network of its own. */
  listenTcp: boolean
  /** Model where neither request nor answer names one. */
  model: string | null
  admission?: Admission
  origin: Omit<CallOrigin, 'turn'>
  limits: { usd: number | null; tokens: number | null; requests: number | null }
  /** What a call costs. null: not known. */
  cost(tokens: RawTokens, model: string): Cost
  /** Silence of the provider, also before the first byte. */
  idleMs: number
  /** Silence before the first byte; absent: as `idleMs`. */
  firstByteMs?: number
  requestMs: number
  told: MeterTold
}

/** Must not throw. */
export interface MeterTold {
  /** What a request has used, once it has ended. */
  onUsage(call: MeteredCall): void
  /** How the provider has answered a request, or not: once for each request. */
  onStatus(status: MeterStatus): void
  /** A limit was reached: no further request goes out. Once. */
  onLimit(reached: { limit: 'usd' | 'tokens' | 'requests'; problem: string }): void
  /** A request begins; it goes on (bytes came, or it waits for its turn); it has ended. */
  onTraffic?(now: 'began' | 'alive' | 'ended'): void
}

export interface MeteredCall {
  usage: Usage
  tokens: RawTokens
  cost: Cost
  model: string
  /** `estimated`: the provider did not say, or the answer did not come to its end. */
  source: 'metered' | 'estimated'
}

export interface MeterStatus {
  /** null: no answer came. */
  status: number | null
  /** null: it was answered. */
  class: ProviderErrorClass | null
  /** '' when it was answered. */
  problem: string
  retryAfterMs: number | null
  /** Who said so: the provider (or the way to it), or `Admission`, which did not let it go. */
  by: 'provider' | 'admission'
}

/** A proxy for the model requests of one program. */
export interface Meter {
  /** `http://127.0.0.1:<port>`: what the program is told, without `/v1`; the same inside a sandbox. */
  readonly url: string
  readonly port: number
  /** What the program is given as its key. */
  readonly token: string
  /** null: it has none. */
  readonly socketPath: string | null
  /** Ends what is under way, too. */
  close(): Promise<void>
}
