import type { AgentResult } from '../agents/port.ts'
import { ReeveError } from '../core/errors.ts'
import { NO_USAGE, tokensOf } from '../core/run.ts'
import type { StepHandle } from '../engine/port.ts'
import { type Grant, shown, shownUse } from './budget.ts'
import type { Cap, Job } from './job.ts'

/** A budget that ended a step, or let it not begin; journaled with the step. */
export interface Reached {
  cap: Cap
  /** Nothing was done, because the run has nothing left: it goes on only with more. */
  stopped: boolean
}

/** The result of a step for which nothing was left; no agent was asked. */
export function notBegun(cap: Cap): AgentResult {
  const held = cap.reserved > 0 ? ` ${shown(cap, cap.reserved)} of it stayed reserved by other steps for too long.` : ''
  return {
    status: 'limited',
    text: '',
    output: null,
    problem: `${usedUp(cap)}${held}`,
    class: null,
    retryAt: null,
    usage: NO_USAGE,
    cost: 0,
    steps: 0,
    limit: cap.unit,
  }
}

/** Keeps what was written by then, where no agent will work on it, and says which budget is used up. */
export async function snapshot(job: Job, name: string, cap: Cap, step: Pick<StepHandle, 'emit'>): Promise<Reached> {
  if ((await job.workspace.changes()).length > 0) {
    const kept = await job.workspace.keepAttempt()
    await step.emit('attempt.kept', { ref: kept.ref, commit: kept.commit, number: kept.number })
  }
  await tell(name, cap, cap.used, step)
  return { cap, stopped: cap.scope === 'run' && cap.reserved === 0 }
}

async function tell(name: string, cap: Cap, spent: number, step: Pick<StepHandle, 'emit'>): Promise<void> {
  await step.emit('budget.reached', {
    step: name,
    limit: cap.name,
    unit: cap.unit,
    allowed: cap.allowed,
    spent: Math.round(spent * 1e6) / 1e6,
  })
}

/** The budget that ended an agent's work, told to observers; null when something else did. */
export async function reachedBy(name: string, given: Grant, result: AgentResult, step: Pick<StepHandle, 'emit'>): Promise<Reached | null> {
  const cap = capBehind(given, result)
  if (cap === null) return null
  await tell(name, cap, cap.used + (cap.unit === 'usd' ? (result.cost ?? 0) : tokensOf(result.usage)), step)
  return { cap, stopped: cap.scope === 'run' && result.usage.requests === 0 }
}

// An agent that does not say which limit ended it, but has used nearly all of one.
const NEARLY = 0.95

function capBehind(given: Grant, result: AgentResult): Cap | null {
  if (result.status !== 'limited') return null
  const of = (unit: Cap['unit']) => given.by.find((it) => it.unit === unit) ?? null
  const { usage, cost, limit } = result
  if (limit !== undefined) return limit === 'usd' || limit === 'tokens' ? of(limit) : null
  if (given.usd !== null && cost !== null && cost >= given.usd * NEARLY) return of('usd')
  return given.tokens !== null && tokensOf(usage) >= given.tokens * NEARLY ? of('tokens') : null
}

/**
 * The run's budget is used up: asks a person for the same again where the run asks people, else ends it. Returns when there is more. Steps
 * that find the same budget used up at the same time share one question. Throws `budget_reached`.
 */
export async function moreBudget(job: Job, cap: Cap): Promise<void> {
  if (job.budget.given > cap.given) return
  const { autonomy } = job.settings.runs
  const sentence = usedUp(cap)
  if (autonomy === undefined || autonomy === 'autonomous') {
    throw new ReeveError('budget_reached', { problem: sentence, run: job.run.id })
  }
  const what = `budget-${cap.given}`
  const question = `${sentence} What was written is kept. Approve to give it ${shown(cap, cap.allowed / cap.given)} more, reject to end the run.`
  const asked = job.budget.asked.get(what) ?? job.run.approval(what, question)
  job.budget.asked.set(what, asked)
  const decision = await asked
  if (!decision.approved) {
    const said = decision.comment === '' ? '' : `: ${decision.comment}`
    throw new ReeveError('budget_reached', { problem: `${sentence} More was refused by ${decision.actor}${said}.`, run: job.run.id })
  }
  job.budget.given = Math.max(job.budget.given, cap.given + 1)
}

function usedUp(cap: Cap): string {
  const what = { run: 'The budget', attempt: "The attempt's budget", step: "The step's budget" }[cap.scope]
  const rest = cap.allowed - cap.used - cap.reserved > 0 ? ', and the rest is not enough for another call' : ''
  return `${what} of ${cap.unit === 'usd' ? 'money' : 'tokens'} is used up: ${shownUse(cap)}${rest}.`
}
