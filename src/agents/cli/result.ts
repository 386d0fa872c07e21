import { problemOf, ReeveError } from '../../core/errors.ts'
import { NO_USAGE } from '../../core/run.ts'
import type { ProviderErrorClass } from '../../models/port.ts'
import type { ProgramResult } from '../../process/port.ts'
import type { Checked } from '../loop/output.ts'
import type { AgentRequest, AgentResult } from '../port.ts'
import type { Stop, Watched } from './dues.ts'
import type { CliOutcome } from './outcome.ts'
import type { TreeFindings } from './tree-guard.ts'

/** Everything that a result follows from. */
export interface Findings {
  outcome: CliOutcome
  /** What its answer is worth where one of a shape is wanted, else null. */
  answer: Checked | null
  tree: TreeFindings
  /** The process, where it says more than its outcome. */
  broken: ProgramResult | null
  /** We ended it. */
  stopped: Stop | null
  /** What its provider answered last, where that was seen and no answer. */
  trouble: Watched['trouble']
  now: number
  shared: Pick<AgentResult, 'usage' | 'cost' | 'steps' | 'session'>
}

/** What a step has come to. Pure. */
export function resultOf(it: Findings): AgentResult {
  const { outcome, answer, tree, broken, stopped } = it
  const { status, problem } = outcome
  const shared = { ...it.shared, text: outcome.text, output: null, retryAt: null }
  const failed = (kind: ProviderErrorClass, why: string, retryAt: number | null = null): AgentResult => ({
    ...shared,
    status: 'failed',
    problem: why,
    class: kind,
    retryAt,
  })
  if (status === 'aborted') return { ...shared, status, problem, class: 'aborted' }
  if (tree.broke !== null) return failed('bad_output', tree.broke)
  if (broken !== null && stopped === null) {
    if (broken.ended === 'limit' || broken.ended === 'flooded')
      return { ...shared, status: 'limited', problem: broken.problem, class: null }
    return failed(broken.ended === 'not_found' ? 'config' : 'crashed', broken.problem)
  }
  if (status === 'failed') return failed(...failureOf(it))
  if (status === 'limited') return { ...shared, status, problem, class: null, limit: stopped?.limit ?? ownLimit(problem) }
  if (tree.tooMany !== null) return { ...shared, status: 'limited', problem: tree.tooMany, class: null }
  if (answer !== null && !answer.ok) return failed('bad_output', `The answer does not have the wanted shape: ${answer.problem}.`)
  return { ...shared, status: 'completed', output: answer?.value ?? null, problem: '', class: null }
}

/** What was seen on the way to its provider is surer than what the program says. */
function failureOf({ outcome, stopped, trouble, now }: Findings): [ProviderErrorClass, string, number | null] {
  if (stopped !== null) return [outcome.class ?? 'crashed', outcome.problem, stopped.retryAt]
  if (trouble !== null) return [trouble.class, outcome.problem, trouble.retryAt]
  return [outcome.class ?? 'crashed', outcome.problem, outcome.retryAfterMs === null ? null : now + outcome.retryAfterMs]
}

/** Programs have two limits of their own that they are given. */
function ownLimit(problem: string): 'usd' | 'steps' {
  return /budget|usd|\$|dollar/i.test(problem) ? 'usd' : 'steps'
}

/** It never got to work. */
export function nothingDone(error: unknown, request: AgentRequest): AgentResult {
  const nothing = { text: '', output: null, usage: NO_USAGE, cost: 0, steps: 0, retryAt: null }
  if (request.signal.aborted) return { ...nothing, status: 'aborted', problem: 'The step was aborted.', class: 'aborted' }
  const config = error instanceof ReeveError && error.code !== 'sandbox_failed'
  return { ...nothing, status: 'failed', problem: problemOf(error), class: config ? 'config' : 'crashed' }
}
