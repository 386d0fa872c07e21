import type { ProviderSettings } from '../core/settings.ts'
import type { GuardLimits } from './guard.ts'

/** Small answers may be wordy; a large `max_tokens` raises the limit. No token of a real model has more than about 16 characters. */
const MIN_OUTPUT_CHARS = 1_048_576
const CHARS_PER_TOKEN_AT_MOST = 16

/** The time and size limits of one request. */
export function limitsFrom(settings: ProviderSettings): GuardLimits {
  return {
    totalMs: settings.request_timeout_seconds * 1000,
    idleMs: settings.idle_timeout_seconds * 1000,
    outputChars: Math.max(MIN_OUTPUT_CHARS, settings.max_tokens * CHARS_PER_TOKEN_AT_MOST),
  }
}
