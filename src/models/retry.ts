import type { Clock } from '../core/clock.ts'
import { problemOf } from '../core/errors.ts'
import type { Cost, Usage } from '../core/run.ts'
import type { ProviderSettings } from '../core/settings.ts'
import type { Admission, Pass } from './admission.ts'
import { type GuardLimits, guarded, type OpenRequest, ProviderFailure, type RawTokens } from './guard.ts'
import type { CallOrigin, GenerateRequest, ModelEvent, ProviderErrorClass } from './port.ts'
import { estimateTokens } from './tokens.ts'

const FIRST_WAIT_MS = 500
const MAX_BACK_OFF_MS = 20_000
/** A try that is begun gets at least this for its first byte, though the time for all tries is nearly over. */
const LAST_TRY_MS = 10_000
/** What somebody else could take over waits so long once, then it moves on. */
const SHORT_WAIT_MS = 1000
/** The server did not begin to answer. */
const FREE: readonly ProviderErrorClass[] = [
  'auth',
  'rate_limited',
  'quota',
  'overloaded',
  'server',
  'network',
  'refused',
  'context_too_long',
  'model',
  'config',
]
const RETRIED: readonly ProviderErrorClass[] = ['rate_limited', 'overloaded', 'server', 'network']
/** It answers, but not us, or not now: another provider would. */
const BUSY: readonly ProviderErrorClass[] = ['rate_limited', 'overloaded']

export interface RetrySpec {
  maxRetries: number
  /** No try begins later than this after the call began; time spent on waiting to be admitted does not count. */
  giveUpMs: number
  limits: GuardLimits
  clock: Clock
  signal: AbortSignal
  price(tokens: RawTokens | null): Cost
  origin: CallOrigin
  /** About what one try sends. */
  inputTokens: number
  /** Each try asks it before it goes. Absent: nothing is held back. */
  admission?: Admission | undefined
  /** Another provider could take over: do not wait for this one. */
  replaceable?: boolean | undefined
  /** From 0 to 1; tests pass their own. */
  random?: () => number
}

/** What every provider's calls have in common. */
export function retriesOf(
  settings: ProviderSettings,
  request: GenerateRequest,
  clock: Clock,
  admission: Admission | undefined,
): Omit<RetrySpec, 'limits' | 'price'> {
  return {
    maxRetries: settings.max_retries,
    giveUpMs: settings.give_up_seconds * 1000,
    clock,
    signal: request.signal,
    origin: request.origin,
    inputTokens: estimateTokens(request),
    admission,
    replaceable: request.replaceable,
  }
}

/** One try: its events go on, and this is how it ended. */
interface Tried {
  failure: ProviderFailure | null
  /** Something of the answer was handed on, so it cannot be asked for again. */
  used: boolean
  /** Something was asked for that may have to be paid, and nobody tells how much. */
  unknown: boolean
}

/**
 * One call with its retries: the only place where a request is repeated. A request is repeated only while nothing of its answer was
 * handed on, so nobody ever sees two beginnings.
 */
export async function* withRetries(open: OpenRequest, spec: RetrySpec): AsyncGenerator<ModelEvent> {
  const { clock } = spec
  let unknown = false
  let began = clock.now()
  for (let tries = 1; ; tries++) {
    const asked = clock.now()
    const pass = await admit(spec)
    began += clock.now() - asked
    if (pass instanceof ProviderFailure) {
      yield failed(pass, tries - 1, unknown, spec)
      return
    }

    const it = yield* tryOnce(open, pass, tries, began, spec)
    if (it.failure === null) return
    unknown ||= it.unknown
    const waitMs = waitBefore(it, tries, clock.now() - began, spec)
    if (waitMs === null) {
      yield failed(it.failure, tries, unknown, spec)
      return
    }
    yield { type: 'retrying', class: it.failure.class, problem: it.failure.message, inMs: waitMs }
    try {
      await clock.sleep(waitMs, spec.signal)
    } catch {
      yield failed(new ProviderFailure('aborted', 'The call was aborted.'), tries, unknown, spec)
      return
    }
  }
}

/** A pass, null where nobody asks for one, or why there is none. */
async function admit({ admission, origin, inputTokens, signal, clock }: RetrySpec): Promise<Pass | ProviderFailure | null> {
  // The request itself says that it was aborted.
  if (admission === undefined || signal.aborted) return null
  try {
    const answer = await admission.enter({ origin, inputTokens }, signal)
    if (answer.admitted) return answer
    return new ProviderFailure('rate_limited', answer.problem, { retryAfterMs: Math.max(0, answer.retryAt - clock.now()), final: true })
  } catch (error) {
    return signal.aborted
      ? new ProviderFailure('aborted', 'The call was aborted.')
      : new ProviderFailure('crashed', `The limits of this provider could not be kept: ${problemOf(error)}`)
  }
}

async function* tryOnce(
  open: OpenRequest,
  pass: Pass | null,
  tries: number,
  began: number,
  spec: RetrySpec,
): AsyncGenerator<ModelEvent, Tried> {
  let used = false
  let answered = false
  let tokens: RawTokens | null = null
  let failure: ProviderFailure | null = null
  try {
    for await (const event of guarded(open, limitsOf(tries, spec.clock.now() - began, spec), spec.clock, spec.signal)) {
      if (event.type === 'end') {
        tokens = event.tokens
        yield { type: 'done', usage: usageOf(event.tokens, tries), cost: spec.price(event.tokens), finish: event.finish }
        return { failure: null, used: true, unknown: false }
      }
      answered = true
      if (event.type === 'unseen') continue
      used = true
      yield event
    }
    throw new ProviderFailure('bad_output', 'The stream ended without saying that it was finished.')
  } catch (error) {
    failure = error instanceof ProviderFailure ? error : new ProviderFailure('crashed', String(error))
    return { failure, used, unknown: answered || !FREE.includes(failure.class) }
  } finally {
    // Also when whoever reads the answer stops reading it.
    const problem = failure === null ? {} : { problem: failure.message }
    await pass?.leave({ class: failure?.class ?? null, tokens, ...problem, ...retryAt(failure, spec.clock) })
  }
}

/** Later tries share what is left of the time to begin an answer: all of them together last no longer than one that is silent. */
function limitsOf(tries: number, elapsedMs: number, { limits, giveUpMs }: RetrySpec): GuardLimits {
  if (tries === 1) return limits
  const left = Math.max(LAST_TRY_MS, Math.max(giveUpMs, limits.firstByteMs) - elapsedMs)
  return { ...limits, firstByteMs: Math.min(limits.firstByteMs, left) }
}

/** Milliseconds until the next try, null when there is none. */
function waitBefore({ failure, used }: Tried, tries: number, elapsedMs: number, spec: RetrySpec): number | null {
  if (failure === null || used || failure.final) return null
  if (failure.again) return 0
  if (tries > spec.maxRetries || !RETRIED.includes(failure.class)) return null
  const full = Math.min(FIRST_WAIT_MS * 2 ** (tries - 1), MAX_BACK_OFF_MS)
  // Jitter: many runs that were refused together must not come back together.
  const wait = failure.retryAfterMs ?? Math.round(full * (0.5 + (spec.random ?? Math.random)() / 2))
  if (spec.replaceable === true && BUSY.includes(failure.class) && (tries > 1 || wait > SHORT_WAIT_MS)) return null
  return elapsedMs + wait <= spec.giveUpMs ? wait : null
}

function failed(failure: ProviderFailure, requests: number, unknown: boolean, spec: RetrySpec): ModelEvent {
  return {
    type: 'error',
    class: failure.class,
    problem: failure.message,
    ...retryAt(failure, spec.clock),
    usage: usageOf(null, requests),
    // A refused request costs nothing; a broken answer does, and so may one that never came.
    cost: unknown ? spec.price(null) : 0,
  }
}

function retryAt(failure: ProviderFailure | null, clock: Clock): { retryAt?: number } {
  const wait = failure?.retryAfterMs ?? null
  return wait === null ? {} : { retryAt: clock.now() + wait }
}

function usageOf(tokens: RawTokens | null, requests: number): Usage {
  return { inputTokens: tokens?.input ?? 0, outputTokens: tokens?.output ?? 0, cachedInputTokens: tokens?.cached ?? 0, requests }
}
