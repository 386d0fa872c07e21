import type { RawTokens } from './guard.ts'
import type { CallOrigin, ProviderErrorClass } from './port.ts'

/**
 * Lets requests go to a provider's account, one at a time asked for: concurrency, requests and tokens per minute, held over all runs and
 * processes of a data folder. Reference: `agents/router/`. Every request to a provider passes it, each try of a call for itself.
 */
export interface Admission {
  /**
   * Waits until the request may go, at most as long as a call may be held up; then says until when to come back. Throws the signal's reason
   * only.
   */
  enter(request: { origin: CallOrigin; inputTokens: number }, signal: AbortSignal): Promise<Pass | Refusal>
}

export interface Pass {
  admitted: true
  /** Must be called once, when the request has ended however it did. `class`: null when it was answered. */
  leave(outcome: { class: ProviderErrorClass | null; tokens: RawTokens | null; retryAt?: number; problem?: string }): Promise<void>
}

/** `retryAt`: epoch ms. */
export interface Refusal {
  admitted: false
  retryAt: number
  problem: string
}
