import type { Clock } from '../core/clock.ts'
import type { Cost, Usage } from '../core/run.ts'
import { type GuardLimits, guarded, type OpenRequest, ProviderFailure, type RawTokens } from './guard.ts'
import type { ModelEvent, ProviderErrorClass } from './port.ts'

/** Longest pause between two tries of one call. What a server asks for beyond it is the run's business: it parks. */
const MAX_WAIT_MS = 60_000
const LONGEST_WAIT_MS = 31 * 24 * 3_600_000
const FIRST_WAIT_MS = 500
const MAX_BACK_OFF_MS = 20_000
/** The server did not begin to answer. */
const FREE: readonly ProviderErrorClass[] = ['auth', 'rate_limited', 'overloaded', 'network', 'refused', 'context_too_long']
const RETRIED: readonly ProviderErrorClass[] = ['rate_limited', 'overloaded', 'network']

export interface RetrySpec {
  maxRetries: number
  limits: GuardLimits
  clock: Clock
  signal: AbortSignal
  price(tokens: RawTokens | null): Cost
  /** From 0 to 1; tests pass their own. */
  random?: () => number
}

/**
 * One call with its retries: the only place where a request is repeated. A request is repeated only while nothing of its answer was
 * handed on, so nobody ever sees two beginnings.
 */
export async function* withRetries(open: OpenRequest, spec: RetrySpec): AsyncGenerator<ModelEvent> {
  // Something was asked for that may have to be paid, and nobody tells how much.
  let unknown = false
  for (let tries = 1; ; tries++) {
    let used = false
    let answered = false
    try {
      for await (const event of guarded(open, spec.limits, spec.clock, spec.signal)) {
        if (event.type === 'end') {
          yield { type: 'done', usage: usageOf(event.tokens, tries), cost: spec.price(event.tokens), finish: event.finish }
          return
        }
        answered = true
        if (event.type === 'unseen') continue
        used = true
        yield event
      }
    } catch (error) {
      const failure = error instanceof ProviderFailure ? error : new ProviderFailure('crashed', String(error))
      unknown ||= answered || !FREE.includes(failure.class)
      const waitMs = waitBefore(failure, tries, used, spec)
      if (waitMs === null) {
        yield failed(failure, tries, unknown, spec)
        return
      }
      yield { type: 'retrying', class: failure.class, problem: failure.message, inMs: waitMs }
      const aborted = await spec.clock.sleep(waitMs, spec.signal).then(
        () => false,
        () => true,
      )
      if (aborted) {
        yield failed(new ProviderFailure('aborted', 'The call was aborted.'), tries, unknown, spec)
        return
      }
    }
  }
}

/** Milliseconds until the next try, null when there is none. */
function waitBefore(failure: ProviderFailure, tries: number, used: boolean, spec: RetrySpec): number | null {
  if (used || failure.final || tries > spec.maxRetries || !RETRIED.includes(failure.class)) return null
  const asked = failure.retryAfterMs
  if (asked !== null) return asked <= MAX_WAIT_MS ? asked : null
  const full = Math.min(FIRST_WAIT_MS * 2 ** (tries - 1), MAX_BACK_OFF_MS)
  // Jitter: many runs that were refused together must not come back together.
  return Math.round(full * (0.5 + (spec.random ?? Math.random)() / 2))
}

function failed(failure: ProviderFailure, requests: number, unknown: boolean, spec: RetrySpec): ModelEvent {
  return {
    type: 'error',
    class: failure.class,
    problem: failure.message,
    ...(failure.retryAfterMs === null ? {} : { retryAt: spec.clock.now() + failure.retryAfterMs }),
    usage: usageOf(null, requests),
    // A refused request costs nothing; a broken answer does, and so may one that never came.
    cost: unknown ? spec.price(null) : 0,
  }
}

function usageOf(tokens: RawTokens | null, requests: number): Usage {
  return { inputTokens: tokens?.input ?? 0, outputTokens: tokens?.output ?? 0, cachedInputTokens: tokens?.cached ?? 0, requests }
}

/** Milliseconds that a `retry-after` header asks for: seconds or an HTTP date; also `retry-after-ms`. null when there is none or it is nonsense. */
export function retryAfterMs(headers: Readonly<Record<string, string>> | undefined, now: number): number | null {
  const exact = Number(headers?.['retry-after-ms'] ?? Number.NaN)
  if (isWait(exact)) return exact
  const text = headers?.['retry-after']?.trim()
  if (!text) return null
  const seconds = Number(text)
  if (!Number.isNaN(seconds)) return isWait(seconds * 1000) ? seconds * 1000 : null
  const wait = Math.max(0, Date.parse(text) - now)
  return isWait(wait) ? wait : null
}

/** No quota takes longer than a month to come back; a run that was told so would wait for ever. */
function isWait(ms: number): boolean {
  return ms >= 0 && ms <= LONGEST_WAIT_MS
}
