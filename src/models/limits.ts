import type { ProviderSettings } from '../core/settings.ts'
import type { GuardLimits } from './guard.ts'

/** Small answers may be wordy; a large `max_tokens` raises the limit. No token of a real model has more than about 16 characters. */
const MIN_OUTPUT_CHARS = 1_048_576
const CHARS_PER_TOKEN_AT_MOST = 16

/** Below a minute: then the next provider takes over. */
const IDLE_SECONDS = 45
/** An engine on one's own machine reads a long prompt for minutes before its first word. */
const LOCAL_FIRST_BYTE_SECONDS = 300

/** What a model reads at most when nobody has said so. */
export const CONTEXT_TOKENS = 128_000

/** The time and size limits of one request. `local`: the model runs on a machine of the user's own. */
export function limitsFrom(settings: ProviderSettings, local = false): GuardLimits {
  const idle = settings.idle_timeout_seconds ?? IDLE_SECONDS
  return {
    totalMs: settings.request_timeout_seconds * 1000,
    firstByteMs: (settings.first_byte_timeout_seconds ?? (local ? Math.max(idle, LOCAL_FIRST_BYTE_SECONDS) : idle)) * 1000,
    idleMs: idle * 1000,
    outputChars: Math.max(MIN_OUTPUT_CHARS, settings.max_tokens * CHARS_PER_TOKEN_AT_MOST),
  }
}
