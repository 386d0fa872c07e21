import type { Json } from '../../core/json.ts'
import { NO_USAGE } from '../../core/run.ts'
import type { ProviderErrorClass } from '../../models/port.ts'
import type { AgentRequest, AgentResult } from '../port.ts'
import type { Deadline } from './deadline.ts'
import type { Purse } from './purse.ts'

type Limit = NonNullable<AgentResult['limit']>

/** How an agent of our own came to its end. */
export interface Ending {
  status: AgentResult['status']
  problem: string
  class: ProviderErrorClass | null
  retryAt: number | null
  limit?: Limit
}
export const DONE: Ending = { status: 'completed', problem: '', class: null, retryAt: null }

export function failed(kind: ProviderErrorClass, problem: string): Ending {
  return { status: 'failed', problem, class: kind, retryAt: null }
}

export function limited(problem: string, limit?: Limit): Ending {
  return { status: 'limited', problem, class: null, retryAt: null, ...(limit === undefined ? {} : { limit }) }
}

/** What one run has come to. `purse`: null until the first call could be made. */
export interface Outcome {
  text: string
  output: Json | null
  turn: number
  purse: Purse | null
}

/** The result of a run: who aborted it, or a time that is over, is the reason whatever else was said. */
export function resultOf(
  { text, output, purse, turn: steps }: Outcome,
  end: Ending,
  request: AgentRequest,
  deadline: Deadline,
): AgentResult {
  const { usage, cost, atMost } = purse ?? { usage: NO_USAGE, cost: 0, atMost: null }
  const bound = cost === null && atMost !== null ? { costAtMost: atMost } : {}
  const shared = { text, output: end.status === 'completed' ? output : null, usage, cost, steps, ...bound }
  if (end.status === 'completed') return { ...shared, ...end }
  if (request.signal.aborted) return { ...shared, status: 'aborted', problem: 'The step was aborted.', class: 'aborted', retryAt: null }
  if (deadline.over) return { ...shared, ...limited(`The time limit of ${request.limits.timeoutMs / 1000} s is reached.`, 'time') }
  return { ...shared, ...end }
}

/** A limit that is reached before the next turn, null when there is none. */
export function limitBefore(turn: number, maxSteps: number, next: ReturnType<Purse['next']>, signal: AbortSignal): Ending | null {
  if (signal.aborted) return failed('aborted', 'The step was aborted.')
  if (turn >= maxSteps) return limited(`The limit of ${maxSteps} model steps is reached.`, 'steps')
  return next.ok ? null : limited(next.problem, next.limit)
}
