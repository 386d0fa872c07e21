import type { RunEvent } from '../core/event.ts'
import { addCost, addUsage, type Cost, NO_USAGE, tokensOf, type Usage } from '../core/run.ts'

/** `charged`: US dollars as budgets count them. It is the cost where that is known, and never too little where it is not. */
export interface Spent {
  usage: Usage
  cost: Cost
  charged: number
}
export const NOTHING: Spent = { usage: NO_USAGE, cost: 0, charged: 0 }

export function addSpent(a: Spent, b: Spent): Spent {
  return { usage: addUsage(a.usage, b.usage), cost: addCost(a.cost, b.cost), charged: a.charged + b.charged }
}

/** What a step that is at work may still use of what was reserved for it. */
export interface Reserved {
  tokens: number
  usd: number
}

/** A try that has begun and whose end is not known (yet). */
interface Open {
  /** The sum of its calls so far. */
  told: Spent
  tokens: number
  usd: number
  /** Its usage comes only at its end: a try that died was perhaps paid, and nobody says how much. */
  late: boolean
  /** A program that reports for itself has begun. */
  program: boolean
  alive: boolean
}

/**
 * What the steps of a run have used, from its events in their order: the one place that knows how calls, ends of steps and tries that died
 * come together. A step's end holds the sums of its try, so the calls reported before it count only as long as there is no such end.
 */
export interface Tally {
  add(event: Pick<RunEvent, 'type' | 'data'>): void
  /** The process that worked on it is gone: no step is at work. */
  bury(): void
  /** Of one step, of the steps whose names begin so, or of all. */
  spent(names?: { step: string } | { within: string }): Spent
  /** What the steps at work have reserved and not used. */
  reserved(names?: { within: string }): Reserved
}

export function createTally(): Tally {
  const ended = new Map<string, Spent>()
  const open = new Map<string, Open>()

  const close = (step: string, spent: Spent) => {
    ended.set(step, addSpent(ended.get(step) ?? NOTHING, spent))
    open.delete(step)
  }
  const bury = () => {
    for (const it of open.values()) it.alive = false
  }

  function add({ type, data }: Pick<RunEvent, 'type' | 'data'>): void {
    if (type === 'run.interrupted' || type === 'run.detached' || type === 'run.finished') return bury()
    const step = typeof data['step'] === 'string' ? data['step'] : ''
    const at = open.get(step)
    if (type === 'step.started') {
      if (at) close(step, soFar({ ...at, alive: false }))
      open.set(step, { told: NOTHING, tokens: 0, usd: 0, late: false, program: false, alive: true })
      return
    }
    if (type === 'step.finished' || type === 'step.failed') {
      close(step, data['usage'] === undefined ? soFar({ ...(at ?? NEVER), alive: false }) : spentBy({ data }))
      return
    }
    if (!at) return
    if (type === 'agent.started') at.program = true
    if (type === 'usage.reported') at.told = addSpent(at.told, spentBy({ data }))
    if (type === 'budget.reserved') {
      at.tokens = numberOf(data['tokens'])
      at.usd = numberOf(data['usd'])
      at.late = data['late'] === true
    }
  }

  const fits = (names: { step: string } | { within: string } | undefined) => (step: string) =>
    names === undefined || ('step' in names ? step === names.step : step.startsWith(names.within))

  return {
    add,
    bury,
    spent(names) {
      const wanted = fits(names)
      const done = [...ended].flatMap(([step, it]) => (wanted(step) ? [it] : []))
      const going = [...open].flatMap(([step, it]) => (wanted(step) ? [soFar(it)] : []))
      return [...done, ...going].reduce(addSpent, NOTHING)
    },
    reserved(names) {
      const wanted = fits(names)
      const alive = [...open].flatMap(([step, it]) => (it.alive && wanted(step) ? [it] : []))
      return alive.reduce<Reserved>(
        (sum, it) => ({
          tokens: sum.tokens + Math.max(0, it.tokens - tokensOf(it.told.usage)),
          usd: sum.usd + Math.max(0, it.usd - it.told.charged),
        }),
        { tokens: 0, usd: 0 },
      )
    },
  }
}

const NEVER: Open = { told: NOTHING, tokens: 0, usd: 0, late: false, program: false, alive: false }

/** What is known of a try without an end. */
function soFar(it: Open): Spent {
  if (it.alive) return it.told
  const silent = (it.program || it.late) && it.told.usage.requests === 0
  return { ...it.told, cost: silent ? null : it.told.cost, charged: it.late ? Math.max(it.told.charged, it.usd) : it.told.charged }
}

/** What one event says was used: a call, or the end of a step. */
export function spentBy(event: Pick<RunEvent, 'data'>): Spent {
  const usage = event.data['usage'] as unknown as Usage | undefined
  const given = event.data['cost'] as Cost | undefined
  const cost = given === undefined ? 0 : given
  const charged = event.data['charged']
  return { usage: usage ?? NO_USAGE, cost, charged: typeof charged === 'number' ? charged : (cost ?? 0) }
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0
}
