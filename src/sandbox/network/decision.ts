import type { Reason } from './reasons.ts'

/** What became of one connection (of one request, where it is a plain one). */
export interface Decision {
  /** `failed`: it was allowed, and the host could not be reached. */
  outcome: 'allowed' | 'refused' | 'failed'
  /** `host:port` as it was asked for, made printable. */
  target: string
  reason: Reason | 'allowed'
  /** One sentence; the program inside was told the same one. */
  sentence: string
  /** What was connected to; null when nothing was. */
  address: string | null
  /** Bytes, by the program inside. */
  sent: number
  received: number
  durationMs: number
}
