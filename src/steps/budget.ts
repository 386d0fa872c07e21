import type { AgentResult } from '../agents/port.ts'
import { isUnbegun } from '../agents/router/breaker.ts'
import { dollars, tokensOf } from '../core/run.ts'
import { isCliKind, type ProviderSettings } from '../core/settings.ts'
import type { StepHandle } from '../engine/port.ts'
import { isFree } from '../models/prices.ts'
import type { Cap, Job } from './job.ts'

/** What a step may use, and which budget says so. */
export interface Grant {
  usd: number | null
  tokens: number | null
  /** The budget with the least left, for each unit that has one. */
  by: readonly Cap[]
}

/** Below this, money is a remainder of counting with fractions. */
const NOTHING_USD = 1e-9
// Less than that part of what it could have, while others may give some back: a step would end in the middle of its work.
const WORTH = 0.5

/**
 * Reserves what a step may use before it spends anything: the least of what its own budget, its attempt's and the run's have left, less what
 * other steps at work have reserved. While those hold too much of it, the step waits for them, at most as long as a step may take. A cap is
 * the answer when nothing is left.
 */
export async function reserve(job: Job, name: string, provider: string, step: Pick<StepHandle, 'emit' | 'signal'>): Promise<Grant | Cap> {
  const until = job.kit.clock.now() + job.settings.runs.step_timeout_minutes * 60_000
  const settings = job.settings.providers[provider]
  // Money is no limit where none is spent: a model of one's own goes on when the budget for others is used up.
  const free = settings !== undefined && isFree(settings, job.settings.prices)
  for (let told = false; ; ) {
    step.signal.throwIfAborted()
    const caps = capsOf(job, name).filter((it) => it.unit === 'tokens' || !free)
    const scarce = scarceOf(caps)
    if (scarce === null) return grant(caps, name, tellsLate(settings), step)
    if (scarce.reserved <= NOTHING_USD || job.kit.clock.now() >= until) return scarce
    if (!told) {
      const text = `Waits: ${shownUse(scarce)} is spent, and ${shown(scarce, scarce.reserved)} reserved by steps at work.`
      await step.emit('agent.noticed', { step: name, level: 'info', text })
      told = true
      // A step may have ended meanwhile: between looking and waiting there must be no pause.
      continue
    }
    await anotherEnds(job, until, step.signal)
  }
}

/** Nothing is awaited between looking and reserving: the event counts from the moment it is handed over. */
async function grant(caps: readonly Cap[], name: string, late: boolean, step: Pick<StepHandle, 'emit'>): Promise<Grant> {
  const by = (['usd', 'tokens'] as const).flatMap((unit) => tightest(caps, unit) ?? [])
  const of = (unit: Cap['unit']) => by.find((it) => it.unit === unit)
  const [usd, tokens] = [of('usd'), of('tokens')].map((it) => (it ? freeOf(it) : null))
  const given: Grant = { usd: usd ?? null, tokens: tokens ?? null, by }
  if (by.length > 0) {
    await step.emit('budget.reserved', { step: name, tokens: given.tokens, usd: given.usd, ...(late ? { late: true } : {}) })
  }
  return given
}

/** The budgets that a step is held by, the run's first. */
function capsOf(job: Job, step: string): Cap[] {
  const { runs } = job.settings
  const { tally } = job.run
  const budget = job.task.budget ?? {}
  const given = job.budget.given
  const within = attemptOf(step)
  const caps: (Cap | null)[] = [
    capOf('run', 'usd', least(['runs.max_usd', runs.max_usd], ['budget.usd of the task', budget.usd]), given),
    capOf('run', 'tokens', least(['runs.max_tokens', runs.max_tokens], ['budget.tokens of the task', budget.tokens]), given),
    within === null ? null : capOf('attempt', 'usd', ['runs.max_attempt_usd', runs.max_attempt_usd]),
    capOf('step', 'usd', ['runs.max_step_usd', runs.max_step_usd]),
  ]
  const places = { run: undefined, attempt: { within: within ?? '' }, step: { step } }
  return caps.flatMap((it) => {
    if (it === null) return []
    const place = places[it.scope]
    const spent = tally.spent(place)
    const reserved = it.scope === 'step' ? { usd: 0, tokens: 0 } : tally.reserved(places[it.scope])
    return [{ ...it, used: it.unit === 'usd' ? spent.charged : tokensOf(spent.usage), reserved: reserved[it.unit] }]
  })
}

/** `part-1/attempt-2/implement~2` belongs to `part-1/attempt-2/`; a plan belongs to no attempt. */
function attemptOf(step: string): string | null {
  return /^(?:.*\/)?attempt-\d+\//.exec(step)?.[0] ?? null
}

type Named = readonly [name: string, allowed: number | undefined]

function least(a: Named, b: Named): Named {
  if (a[1] === undefined) return b
  return b[1] === undefined || a[1] <= b[1] ? a : b
}

function capOf(scope: Cap['scope'], unit: Cap['unit'], [name, allowed]: Named, given = 1): Cap | null {
  return allowed === undefined ? null : { scope, unit, name, allowed: allowed * given, given, used: 0, reserved: 0 }
}

/** Money in whole millionths: what is lost in counting with fractions is shown to nobody. */
function freeOf(cap: Cap): number {
  const free = cap.allowed - cap.used - cap.reserved
  return Math.max(0, cap.unit === 'tokens' ? free : Math.floor(free * 1e6 + 1e-3) / 1e6)
}

function tightest(caps: readonly Cap[], unit: Cap['unit']): Cap | null {
  return caps.filter((it) => it.unit === unit).toSorted((a, b) => freeOf(a) - freeOf(b))[0] ?? null
}

/** The cap that a step has to wait for, or that ends it; null when there is enough. */
function scarceOf(caps: readonly Cap[]): Cap | null {
  for (const unit of ['usd', 'tokens'] as const) {
    const own = caps.filter((it) => it.unit === unit)
    const over = own.find((it) => freeOf(it) === 0 && it.reserved <= NOTHING_USD)
    if (over) return over
    const cap = tightest(own, unit)
    if (!cap) continue
    const best = Math.min(...own.map((it) => it.allowed - it.used))
    if (freeOf(cap) === 0 || (cap.reserved > NOTHING_USD && freeOf(cap) < best * WORTH)) return cap
  }
  return null
}

/** Waits until another step of the run has ended, or the time is over. */
async function anotherEnds(job: Job, until: number, signal: AbortSignal): Promise<void> {
  const over = new AbortController()
  const { promise, resolve } = Promise.withResolvers<void>()
  job.budget.waiting.add(resolve)
  try {
    await Promise.race([promise, job.kit.clock.sleep(Math.max(0, until - job.kit.clock.now()), AbortSignal.any([signal, over.signal]))])
  } finally {
    job.budget.waiting.delete(resolve)
    over.abort()
  }
}

/** To be called when a step has ended, after its end is counted. */
export function released(job: Job): void {
  for (const wake of job.budget.waiting) wake()
}

/**
 * Charges a step with what it has used. Where its cost is not known and there is a budget of money, the budget counts what it was at most: a
 * bound that the agent knows, or all that was reserved. That is said once for each provider.
 */
export async function settle(
  job: Job,
  name: string,
  provider: string,
  step: StepHandle,
  it: { given: Grant; result: AgentResult },
): Promise<void> {
  const { given, result } = it
  const charged = chargedFor(given, result)
  step.charge(result.usage, result.cost, charged)
  const unknown = result.cost === null && result.costAtMost === undefined && charged > 0
  if (!unknown || job.budget.told.has(provider)) return
  job.budget.told.add(provider)
  const where = `providers.${provider}.price or [prices]`
  const text = `What "${provider}" costs is not known, so its step counts as the ${dollars(charged)} that was reserved for it. Say the price in ${where}.`
  await step.emit('agent.noticed', { step: name, level: 'warning', text })
}

function chargedFor(given: Grant, result: AgentResult): number {
  if (result.cost !== null) return result.cost
  if (given.usd === null) return 0
  // A program that has worked tells of its usage at its end only, which it did not come to.
  const asked = tokensOf(result.usage) > 0 || result.steps > 0
  if (result.status === 'failed' && !asked && isUnbegun(result.class)) return 0
  return Math.min(given.usd, result.costAtMost ?? given.usd)
}

/** Nobody sees its calls: its usage is told at its end only, and not at all when it dies before. */
function tellsLate(settings: ProviderSettings | undefined): boolean {
  if (settings === undefined) return false
  const { kind, login, meter, base_url } = settings
  if (kind === 'plugin') return true
  if (kind !== 'acp' && !isCliKind(kind)) return false
  return login || !meter || kind === 'cursor-agent' || ((kind === 'acp' || kind === 'command') && base_url === undefined)
}

/** An amount of a cap's unit, for people. */
export function shown(cap: Pick<Cap, 'unit'>, amount: number): string {
  return cap.unit === 'usd' ? dollars(amount) : `${Math.round(amount)} tokens`
}

/** `$0.48 of $0.50 (runs.max_usd)`. */
export function shownUse(cap: Cap): string {
  const used = cap.unit === 'usd' ? dollars(cap.used) : Math.round(cap.used)
  return `${used} of ${shown(cap, cap.allowed)} (${cap.name})`
}
