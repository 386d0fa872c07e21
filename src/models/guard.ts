import type { Clock } from '../core/clock.ts'
import { problemOf } from '../core/errors.ts'
import type { ProviderErrorClass, ToolCall } from './port.ts'

/** What one request to a provider gives, before retries and prices. It ends with `end`, or throws. */
export type RawEvent =
  | { type: 'text'; text: string }
  | { type: 'call'; call: ToolCall }
  /** The answer grows in a part that is not handed on: thoughts, arguments that are not whole yet. */
  | { type: 'unseen'; chars: number }
  | { type: 'end'; tokens: RawTokens | null; finish: Finish }

/** What a server reports. `input` includes `cached` (read from the server's cache) and `written` (put into it, which some ask more for). */
export interface RawTokens {
  input: number
  output: number
  cached: number
  written?: number
}
export type Finish = 'stop' | 'length' | 'calls' | 'refused' | 'other'

/**
 * One failed request. `retryAfterMs`: what the server asked for, null when it said nothing. `final`: trying again cannot help. `again`: the
 * next try says it in another way, so it need not wait.
 */
export class ProviderFailure extends Error {
  readonly class: ProviderErrorClass
  readonly retryAfterMs: number | null
  readonly final: boolean
  readonly again: boolean

  constructor(kind: ProviderErrorClass, problem: string, options: { retryAfterMs?: number | null; final?: boolean; again?: boolean } = {}) {
    super(problem)
    this.name = 'ProviderFailure'
    this.class = kind
    this.retryAfterMs = options.retryAfterMs ?? null
    this.final = options.final ?? false
    this.again = options.again ?? false
  }
}

export interface GuardLimits {
  totalMs: number
  /** Longest silence before the first byte of an answer. */
  firstByteMs: number
  /** Longest silence from then on. */
  idleMs: number
  /** Characters of text and arguments one answer may have. */
  outputChars: number
}

/** Begins one request. `alive()` tells that a piece of the answer came though there is no event yet. */
export type OpenRequest = (signal: AbortSignal, alive: () => void) => AsyncIterable<RawEvent>

/**
 * One request under time-outs. Ends at once on abort and on a time limit, whatever the source does: each wait on it is a race.
 * Throws `ProviderFailure` only.
 */
export async function* guarded(open: OpenRequest, limits: GuardLimits, clock: Clock, signal: AbortSignal): AsyncGenerator<RawEvent> {
  const stop = new AbortController()
  const began = clock.now()
  let seen: number | null = null
  const fail = Promise.withResolvers<never>()
  fail.promise.catch(() => {})
  const end = (problem: ProviderFailure) => {
    fail.reject(problem)
    stop.abort(problem)
  }
  const onAbort = () => end(new ProviderFailure('aborted', 'The call was aborted.', { final: true }))
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort, { once: true })
  void watch().catch(() => {})

  async function watch(): Promise<void> {
    for (let late = false; ; ) {
      const now = clock.now()
      const problem = overdue(began, seen, now, limits)
      if (problem && late) return end(problem)
      late = problem !== undefined
      if (late) {
        // A process that was stopped for a while, or too busy, finds this timer before the bytes that came meanwhile.
        await clock.sleep(LATE_MS, stop.signal)
        continue
      }
      // At least 1 ms: timers may fire a fraction early.
      // Before the first byte it looks up as often as after it: the byte may come while it sleeps.
      const silentUntil = seen === null ? Math.min(now + limits.idleMs, began + limits.firstByteMs) : seen + limits.idleMs
      await clock.sleep(Math.max(1, Math.min(silentUntil, began + limits.totalMs) - now), stop.signal)
    }
  }

  const source = open(stop.signal, () => (seen = clock.now()))[Symbol.asyncIterator]()
  try {
    let chars = 0
    for (;;) {
      const next = await Promise.race([source.next(), fail.promise])
      if (next.done) throw new ProviderFailure('bad_output', 'The stream ended without saying that it was finished.')
      seen = clock.now()
      chars += sizeOf(next.value)
      if (chars > limits.outputChars) {
        throw new ProviderFailure('bad_output', `The answer is longer than ${limits.outputChars} characters.`, { final: true })
      }
      yield next.value
      if (next.value.type === 'end') return
    }
  } catch (error) {
    if (stop.signal.reason instanceof ProviderFailure) throw stop.signal.reason
    if (error instanceof ProviderFailure) throw error
    throw new ProviderFailure('crashed', problemOf(error))
  } finally {
    signal.removeEventListener('abort', onAbort)
    stop.abort(new ProviderFailure('aborted', 'The call is over.', { final: true }))
    // Not awaited: a source that hangs must not hold the caller.
    void Promise.resolve(source.return?.()).catch(() => {})
  }
}

/** Long enough to read what waits in the sockets. */
const LATE_MS = 20

function overdue(began: number, seen: number | null, now: number, limits: GuardLimits): ProviderFailure | undefined {
  const late = (problem: string) => new ProviderFailure('timeout', problem, { final: true })
  if (now - began >= limits.totalMs) return late(`The answer took longer than ${seconds(limits.totalMs)} (request_timeout_seconds).`)
  if (seen === null && now - began >= limits.firstByteMs) {
    // One and the same setting where nobody has set the other.
    const setting = limits.firstByteMs === limits.idleMs ? 'idle_timeout_seconds' : 'first_byte_timeout_seconds'
    return late(`Nothing came for ${seconds(limits.firstByteMs)} (${setting}).`)
  }
  if (seen !== null && now - seen >= limits.idleMs) return late(`Nothing came for ${seconds(limits.idleMs)} (idle_timeout_seconds).`)
  return undefined
}

function seconds(ms: number): string {
  return `${ms / 1000} s`
}

function sizeOf(event: RawEvent): number {
  if (event.type === 'text') return event.text.length
  if (event.type === 'unseen') return event.chars
  if (event.type === 'call') return typeof event.call.input === 'string' ? event.call.input.length : JSON.stringify(event.call.input).length
  return 0
}
