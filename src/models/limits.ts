import type { ProviderSettings } from '../core/settings.ts'
import type { GuardLimits } from './guard.ts'

/** Small answers may be wordy; a large `max_tokens` raises the limit. No token of a real model has more than about 16 characters. */
const MIN_OUTPUT_CHARS = 1_048_576
const CHARS_PER_TOKEN_AT_MOST = 16

/** Below a minute: then the next provider takes over. */
const IDLE_SECONDS = 45

/** What a model reads at most when nobody has said so. */
export const CONTEXT_TOKENS = 128_000

/** The time and size limits of one request. */
export function limitsFrom(settings: ProviderSettings): GuardLimits {
  return {
    totalMs: settings.request_timeout_seconds * 1000,
    idleMs: (settings.idle_timeout_seconds ?? IDLE_SECONDS) * 1000,
    outputChars: Math.max(MIN_OUTPUT_CHARS, settings.max_tokens * CHARS_PER_TOKEN_AT_MOST),
  }
}
