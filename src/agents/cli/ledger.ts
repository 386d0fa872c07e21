import { addCost, addUsage, type Cost, NO_USAGE, type Usage } from '../../core/run.ts'
import type { MeteredCall } from '../../models/meter/port.ts'
import type { AgentEvent, AgentRequest, AgentResult } from '../port.ts'
import type { CliDeps } from './deps.ts'
import { limited, type Stop } from './dues.ts'
import type { CliEvent } from './port.ts'

type Reported = Extract<CliEvent, { t: 'usage' }>

/** What one step of a program has used. What a proxy has seen counts more than what the program says of itself. */
export interface Ledger {
  /** A call that the proxy saw. */
  metered: (call: MeteredCall) => void
  /** What the program says. */
  reported(event: Reported): void
  /** A process has ended: what it told only in all is booked. */
  processEnded(turns: number): void
  /** How many turns it has taken, as far as its reports tell. */
  readonly turns: number
  sum(): Pick<AgentResult, 'usage' | 'cost'>
}

export function openLedger(about: {
  metered: boolean
  model: () => string
  limits: AgentRequest['limits']
  priced: CliDeps['priced']
  emit: (event: AgentEvent) => void
  stop: (stop: Stop) => void
}): Ledger {
  const { metered, model, limits, priced, emit, stop } = about
  let usage = NO_USAGE
  let cost: Cost = 0
  /** The known part of the cost: an unknown price must not lift the limit. */
  let known = 0
  /** What this process has been booked for, and what it says in all. */
  let booked = { usage: NO_USAGE, usd: 0 }
  let total: Reported | null = null

  function book(more: Usage, usd: Cost, source: 'reported' | 'metered' | 'estimated', of = model()): void {
    usage = addUsage(usage, more)
    cost = addCost(cost, usd)
    known += usd ?? 0
    emit({ type: 'used', usage: more, cost: usd, model: of, source })
    const tokens = usage.inputTokens + usage.outputTokens
    if (limits.tokens !== null && tokens > limits.tokens) stop(limited('tokens', `The limit of ${limits.tokens} tokens is reached.`))
    if (limits.usd !== null && known > limits.usd) stop(limited('usd', `The limit of ${limits.usd} US dollars is reached.`))
  }

  function costOf(event: Reported, usd: number | undefined): Cost {
    if (usd !== undefined) return usd
    const { input, output, cached = 0, written = 0 } = event
    return priced?.(model(), { input, output, cached, written }) ?? null
  }

  return {
    metered: (call) => book(call.usage, call.cost, call.source, call.model),
    reported(event) {
      if (metered) return
      if (event.scope === 'total') {
        total = event
        return
      }
      const one = usageOf(event, 1)
      booked = { usage: addUsage(booked.usage, one), usd: booked.usd + (event.costUsd ?? 0) }
      book(one, costOf(event, event.costUsd), 'reported')
    },
    processEnded(turns) {
      if (metered) return
      if (total !== null) bookRest(total, turns)
      else if (booked.usage.requests === 0) book({ ...NO_USAGE, requests: Math.max(1, turns) }, null, 'estimated')
      booked = { usage: NO_USAGE, usd: 0 }
      total = null
    },
    get turns() {
      return usage.requests
    },
    sum: () => ({ usage, cost }),
  }

  function bookRest(all: Reported, turns: number): void {
    const before = booked.usage
    const rest: Reported = {
      ...all,
      input: Math.max(0, all.input - before.inputTokens),
      output: Math.max(0, all.output - before.outputTokens),
      cached: Math.max(0, (all.cached ?? 0) - before.cachedInputTokens),
    }
    const usd = all.costUsd === undefined ? undefined : Math.max(0, all.costUsd - booked.usd)
    const requests = Math.max(before.requests === 0 ? 1 : 0, turns - before.requests)
    if (rest.input + rest.output + requests > 0) book(usageOf(rest, requests), costOf(rest, usd), 'reported')
  }
}

function usageOf({ input, output, cached = 0 }: Reported, requests: number): Usage {
  return { inputTokens: input, outputTokens: output, cachedInputTokens: cached, requests }
}
