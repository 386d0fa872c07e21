import type { IncomingMessage } from 'node:http'
import { type Clock, systemClock } from '../../core/clock.ts'
import type { Pass, Refusal } from '../admission.ts'
import type { RawTokens } from '../guard.ts'
import { CHARS_PER_TOKEN } from '../tokens.ts'
import { passingBody } from './body.ts'
import type { Budget, Reservation } from './budget.ts'
import { forward, type Outcome, type Outgoing } from './forward.ts'
import type { MeterDialect, MeteredCall, MeterOptions } from './port.ts'
import { say } from './say.ts'
import type { Tally } from './tally.ts'

export interface Exchange extends Pick<Outgoing, 'response' | 'url' | 'headers' | 'redact' | 'closing'> {
  request: IncomingMessage
  options: MeterOptions
  dialect: MeterDialect
  /** Of the address; null: it is in the body. */
  model: string | null
  budget: Budget
  /** From 0. */
  turn: number
  clock?: Clock
}

/** How often a request that waits for its turn says so. */
const ALIVE_MS = 5000

/** One request to a model: budget, admission, the way there and back, what it has used. Must not throw. */
export async function exchange(it: Exchange): Promise<void> {
  const { options, dialect, response, request, budget } = it
  const { told } = options
  told.onTraffic?.('began')
  try {
    const reserved = budget.reserve(lengthOf(request), it.model ?? options.model ?? '')
    if ('limit' in reserved) {
      told.onLimit(reserved)
      request.resume()
      return say(response, dialect, { status: 402, message: reserved.problem, final: true })
    }
    await admitted(it, reserved)
  } finally {
    told.onTraffic?.('ended')
  }
}

async function admitted(it: Exchange, reserved: Reservation): Promise<void> {
  const { options, dialect, response, request, budget, turn } = it
  const alive = () => options.told.onTraffic?.('alive')
  const pass = await enter(it, reserved, turn, alive)
  if (pass === null || !pass.admitted) {
    budget.settle(reserved, null)
    request.resume()
    if (pass !== null) turnedAway(it, pass)
    return
  }
  const body = passingBody(request)
  const { redact, url, headers, closing } = it
  const sent = () => ({ model: body.model(), tokens: Math.max(reserved.input, Math.ceil(body.bytes() / CHARS_PER_TOKEN)) })
  const passes = (tally: Tally) => budget.passedBy(reserved, soFar(tally, sent().tokens), modelOf(tally, it, sent().model))
  const outcome = await forward({ body: body.stream, response, url, headers, dialect, options, redact, alive, passes, closing })
  const call = callOf(outcome, sent(), it)
  budget.settle(reserved, call)
  const { failure, status } = outcome
  const problem = failure?.message ?? ''
  const retryAfterMs = failure?.retryAfterMs ?? null
  const retryAt = retryAfterMs === null ? {} : { retryAt: (it.clock ?? systemClock).now() + retryAfterMs }
  options.told.onStatus({ status, class: failure?.class ?? null, problem, retryAfterMs, by: 'provider' })
  if (call !== null) options.told.onUsage(call)
  if (outcome.limit !== null) options.told.onLimit(outcome.limit)
  // Declining is an answer: the account is well.
  const kind = failure === null || failure.class === 'refused' ? null : failure.class
  await pass.leave({ class: kind, tokens: call?.source === 'metered' ? call.tokens : null, problem, ...retryAt })
}

/** null: the program went away while it waited, or the proxy was closed. */
async function enter(it: Exchange, reserved: Reservation, turn: number, alive: () => void): Promise<Pass | Refusal | null> {
  const { options, response, closing } = it
  if (!options.admission) return { admitted: true, leave: () => Promise.resolve() }
  const gone = new AbortController()
  const onClose = () => gone.abort()
  response.once('close', onClose)
  const tick = setInterval(alive, ALIVE_MS)
  try {
    const request = { origin: { ...options.origin, turn }, inputTokens: reserved.tokens }
    return await options.admission.enter(request, AbortSignal.any([gone.signal, closing]))
  } catch {
    response.destroy()
    return null
  } finally {
    clearInterval(tick)
    response.off('close', onClose)
  }
}

function turnedAway({ options, response, dialect, clock = systemClock }: Exchange, { retryAt, problem }: Refusal): void {
  const retryAfterMs = Math.max(0, retryAt - clock.now())
  options.told.onStatus({ status: null, class: 'rate_limited', problem, retryAfterMs, by: 'admission' })
  say(response, dialect, { status: 429, message: problem, retryAfterMs })
}

/** What it has used; null: nothing that has to be paid. */
function callOf(
  { tally, failure, begun, limit }: Outcome,
  sent: { model: string | null; tokens: number },
  it: Exchange,
): MeteredCall | null {
  const counted = tally.tokens !== null && tally.tokens.input + tally.tokens.output > 0 ? tally.tokens : null
  const whole = counted !== null && limit === null && (failure === null || failure.class === 'refused')
  if (!whole && !begun) return null
  const tokens = whole ? counted : soFar(tally, sent.tokens)
  const model = modelOf(tally, it, sent.model)
  return {
    usage: { inputTokens: tokens.input, outputTokens: tokens.output, cachedInputTokens: tokens.cached, requests: 1 },
    tokens,
    cost: it.options.cost(tokens, model),
    model,
    source: whole ? 'metered' : 'estimated',
  }
}

/** What an answer has used that has not come to its end: what was told by then, and the rest by its length. */
function soFar({ tokens, chars }: Tally, sent: number): RawTokens {
  const input = tokens === null || tokens.input === 0 ? sent : tokens.input
  return { cached: 0, ...tokens, input, output: Math.max(tokens?.output ?? 0, Math.ceil(chars / CHARS_PER_TOKEN)) }
}

function modelOf(tally: Tally, { model, options }: Exchange, sent: string | null): string {
  return tally.model ?? model ?? sent ?? options.model ?? ''
}

function lengthOf({ headers }: IncomingMessage): number {
  const length = Number(headers['content-length'])
  return Number.isSafeInteger(length) && length > 0 ? length : 0
}
