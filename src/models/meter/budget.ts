import type { Cost } from '../../core/run.ts'
import type { RawTokens } from '../guard.ts'
import { CHARS_PER_TOKEN } from '../tokens.ts'
import type { MeterOptions } from './port.ts'

export type ReachedLimit = { limit: 'usd' | 'tokens' | 'requests'; problem: string }

/** What one request is expected to use; given back when it has ended. */
export interface Reservation {
  bytes: number
  input: number
  tokens: number
  usd: number
}

/** An answer of an agent is short: a call and a sentence. What is longer is counted when it is known. */
const OUTPUT_TOKENS = 1000

export interface Budget {
  /** Sets aside what a request will use, or says which limit has no room for it. `bytes`: of the request, 0 where that is not known. */
  reserve(bytes: number, model: string): Reservation | ReachedLimit
  /** Which limit is passed by what an answer that is under way has used by now, as far as can be told. */
  passedBy(reservation: Reservation, tokens: RawTokens, model: string): ReachedLimit | null
  /** The request has ended. null: it used nothing. */
  settle(reservation: Reservation, used: { tokens: RawTokens; cost: Cost; model: string } | null): void
}

export function createBudget({ limits, cost, model: usual }: Pick<MeterOptions, 'limits' | 'cost' | 'model'>): Budget {
  // The program chooses the model of each request: one whose price nobody knows must not be a way around the budget.
  const usdOf = (tokens: RawTokens, model: string) => cost(tokens, model) ?? (usual === null ? null : cost(tokens, usual)) ?? 0
  const spent = { tokens: 0, usd: 0, requests: 0 }
  const held = new Set<Reservation>()
  let tokensPerByte = 1 / CHARS_PER_TOKEN
  let last = { input: 0, cached: 0 }
  const sum = (of: 'tokens' | 'usd') => spent[of] + [...held].reduce((all, it) => all + it[of], 0)

  return {
    reserve(bytes, model) {
      const input = bytes === 0 ? last.input : Math.ceil(bytes * tokensPerByte)
      // A session sends all that it has sent before, and the provider's cache has it.
      const usd = usdOf({ input, output: OUTPUT_TOKENS, cached: Math.min(input, last.cached) }, model)
      const wanted = { bytes, input, tokens: input + OUTPUT_TOKENS, usd }
      const reached = reachedBy(limits, { tokens: sum('tokens'), usd: sum('usd'), requests: spent.requests }, wanted)
      if (reached) return reached
      spent.requests += 1
      held.add(wanted)
      return wanted
    },
    passedBy(reservation, { input, output, cached }, model) {
      const usd = usdOf({ input, output, cached }, model)
      const others = { tokens: sum('tokens') - reservation.tokens, usd: sum('usd') - reservation.usd, requests: 0 }
      return reachedBy({ ...limits, requests: null }, others, { bytes: 0, input, tokens: input + output, usd })
    },
    settle(reservation, used) {
      held.delete(reservation)
      if (used === null) return
      const { tokens } = used
      spent.tokens += tokens.input + tokens.output
      spent.usd += used.cost ?? usdOf(tokens, used.model)
      last = tokens
      // The requests of one program are alike: what the last one had in a byte the next will have.
      if (reservation.bytes > 0 && tokens.input > 0) tokensPerByte = tokens.input / reservation.bytes
    },
  }
}

function reachedBy(
  limits: MeterOptions['limits'],
  used: { tokens: number; usd: number; requests: number },
  wanted: Reservation,
): ReachedLimit | null {
  if (limits.requests !== null && used.requests >= limits.requests)
    return { limit: 'requests', problem: `The limit of ${limits.requests} model requests is reached.` }
  if (limits.tokens !== null && used.tokens + wanted.tokens > limits.tokens) {
    return {
      limit: 'tokens',
      problem: `The token budget is reached: ${used.tokens} of ${limits.tokens} are used, and a request takes about ${wanted.tokens}.`,
    }
  }
  if (limits.usd !== null && used.usd + wanted.usd > limits.usd) {
    return {
      limit: 'usd',
      problem: `The budget is reached: $${used.usd.toFixed(4)} of $${limits.usd} are used, and a request takes about $${wanted.usd.toFixed(4)}.`,
    }
  }
  return null
}
