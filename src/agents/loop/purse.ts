import { addCost, addUsage, type Cost, dollars, NO_USAGE, type Usage } from '../../core/run.ts'
import type { ModelMessage, ModelProvider } from '../../models/port.ts'
import { costAtMost, outputTokensFor } from '../../models/prices.ts'
import type { AgentRequest } from '../port.ts'
import { tokensOf } from './conversation.ts'

/** An answer that has less room than this is cut in the middle of its first call. */
const MIN_ANSWER_TOKENS = 100
/** Before the model has said how it counts: text that is no English takes more tokens than the estimate. */
const FIRST_MARGIN = 1.25
/** The next call may be a little denser than the last one. */
const MARGIN = 1.1
/** Where a provider does not say how long its answers are at most. */
const LONGEST_ANSWER = 32_000

export type Allowed = { ok: true; maxOutputTokens?: number } | { ok: false; limit: 'tokens' | 'usd'; problem: string }

/** What one agent has used, and whether the next call fits into what it may use. No call is made that could cost more than is left. */
export interface Purse {
  readonly usage: Usage
  readonly cost: Cost
  /** US dollars: what is known of the cost, and a bound for the calls of which it is not; null when there is no price. */
  readonly atMost: number | null
  next(messages: readonly ModelMessage[]): Allowed
  count(used: { usage: Usage; cost: Cost }, messages: readonly ModelMessage[]): void
}

export function createPurse(limits: AgentRequest['limits'], provider: ModelProvider, specTokens: number): Purse {
  const { capabilities, price = null } = provider
  const longest = capabilities.outputTokens ?? LONGEST_ANSWER
  let usage: Usage = NO_USAGE
  let cost: Cost = 0
  let known = 0
  let bound = 0
  let margin = FIRST_MARGIN
  /** What the call at work may answer at most. */
  let answer = longest
  const left = () => (limits.usd === null ? null : limits.usd - known - bound)
  const inputOf = (messages: readonly ModelMessage[]) => Math.ceil((tokensOf(messages) + specTokens) * margin)

  function byTokens(messages: readonly ModelMessage[]): Allowed {
    if (limits.tokens === null) return { ok: true }
    const used = usage.inputTokens + usage.outputTokens
    const next = tokensOf(messages)
    const room = limits.tokens - used - next
    if (room >= MIN_ANSWER_TOKENS) return { ok: true, maxOutputTokens: room }
    const problem = `The limit of ${limits.tokens} tokens leaves no room for the next call (${used} used, about ${next} to send).`
    return { ok: false, limit: 'tokens', problem }
  }

  function byMoney(messages: readonly ModelMessage[]): Allowed {
    const usd = left()
    if (usd === null || limits.usd === null) return { ok: true }
    const limit = `The limit of ${dollars(limits.usd)}`
    if (usd <= 0) return { ok: false, limit: 'usd', problem: `${limit} is reached.` }
    if (price === null) return { ok: true }
    const room = outputTokensFor(usd, price, inputOf(messages))
    if (room >= MIN_ANSWER_TOKENS) return { ok: true, maxOutputTokens: Math.min(room, longest) }
    const need = costAtMost(price, inputOf(messages), MIN_ANSWER_TOKENS)
    const problem = `${limit} leaves ${dollars(usd)}, and the next call may cost ${dollars(need)}.`
    return { ok: false, limit: 'usd', problem }
  }

  return {
    get usage() {
      return usage
    },
    get cost() {
      return cost
    },
    get atMost() {
      return price === null ? null : known + bound
    },
    next(messages) {
      const tokens = byTokens(messages)
      if (!tokens.ok) return tokens
      const money = byMoney(messages)
      if (!money.ok) return money
      const both = [tokens.maxOutputTokens, money.maxOutputTokens].filter((it) => it !== undefined)
      answer = Math.min(longest, ...both)
      return both.length === 0 ? { ok: true } : { ok: true, maxOutputTokens: Math.min(...both) }
    },
    count(used, messages) {
      usage = addUsage(usage, used.usage)
      cost = addCost(cost, used.cost)
      known += used.cost ?? 0
      if (used.cost === null && price !== null) {
        bound += costAtMost(price, inputOf(messages), answer) * Math.max(1, used.usage.requests)
      }
      if (used.usage.inputTokens > 0 && used.usage.requests === 1) {
        margin = Math.max(1, (used.usage.inputTokens / (tokensOf(messages) + specTokens)) * MARGIN)
      }
    },
  }
}
