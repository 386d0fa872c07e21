import type { ProviderErrorClass } from '../../models/port.ts'
import type { AgentResult } from '../port.ts'

/** Why an agent's program was ended by us. */
export interface Stop {
  status: 'failed' | 'limited'
  class: ProviderErrorClass | null
  problem: string
  /** Epoch ms. */
  retryAt: number | null
  /** With `limited`. */
  limit?: NonNullable<AgentResult['limit']>
}

export interface WatchLimits {
  /** Until it says the first thing. */
  firstMs: number
  /** Until the next thing, while none of its tools runs. */
  idleMs: number
  /** One tool of its own. */
  toolMs: number
  /** No longer without an answer of its provider's. */
  giveUpMs: number
  totalMs: number
}

/**
 * What a program keeps to itself. `calls`: it tells of a call when that has ended; `all`: it says nothing until it ends. Then silence means
 * something only while a request to its provider is seen to be under way.
 */
export type Quiet = 'nothing' | 'calls' | 'all'

/** What is known of a program at work. Times are epoch ms. */
export interface Watched {
  program: string
  began: number
  /** Has it said anything, and when something came last. */
  heard: boolean
  last: number
  /** Requests to its provider that are under way. */
  requests: number
  tools: Map<string, { name: string; since: number }>
  /** What its provider answered last, when that was no answer; `since`: the first of them in a row. */
  trouble: { class: ProviderErrorClass; problem: string; since: number; retryAt: number | null } | null
}

/** Everything that will end a program if nothing comes, and when. */
export function duesOf(it: Watched, limits: WatchLimits, quiet: Quiet): { at: number; stop: Stop }[] {
  const { program, trouble } = it
  const over = limited('time', `The time limit of ${seconds(limits.totalMs)} is reached.`)
  const dues = [{ at: it.began + limits.totalMs, stop: over }]
  if (trouble) {
    const problem = `${trouble.problem} ${program} kept trying for ${seconds(limits.giveUpMs)}.`
    dues.push({ at: trouble.since + limits.giveUpMs, stop: failed(trouble.class, problem, trouble.retryAt) })
  }
  for (const { name, since } of it.tools.values()) {
    // One whose end was never told hangs only when nothing else comes.
    dues.push({
      at: Math.max(since, it.last) + limits.toolMs,
      stop: failed('timeout', `${program} ran its tool ${name} for ${seconds(limits.toolMs)}.`),
    })
  }
  const wait = it.tools.size > 0 ? null : silenceOf(it, limits, quiet)
  if (wait !== null) dues.push({ at: it.last + wait, stop: silent(it, wait) })
  return dues
}

/** How long it may say nothing now; null: as long as it likes. */
function silenceOf({ requests, heard }: Watched, limits: WatchLimits, quiet: Quiet): number | null {
  if (requests > 0) return limits.idleMs
  if (quiet === 'all') return null
  if (!heard) return limits.firstMs
  return quiet === 'calls' ? limits.toolMs : limits.idleMs
}

/** Silence after a failed request is that failure. */
function silent({ program, heard, trouble }: Watched, ms: number): Stop {
  const what = heard ? 'said nothing' : 'said nothing at first'
  if (trouble === null) return failed('timeout', `${program} ${what} for ${seconds(ms)} and was ended.`)
  return failed(trouble.class, `${trouble.problem} Then ${program} ${what} for ${seconds(ms)}.`, trouble.retryAt)
}

export function failed(kind: ProviderErrorClass, problem: string, retryAt: number | null = null): Stop {
  return { status: 'failed', class: kind, problem, retryAt }
}

/** A limit of the request is reached. */
export function limited(limit: NonNullable<AgentResult['limit']>, problem: string): Stop {
  return { status: 'limited', class: null, problem, retryAt: null, limit }
}

function seconds(ms: number): string {
  const value = ms / 1000
  return `${value >= 10 ? Math.round(value) : value} s`
}
