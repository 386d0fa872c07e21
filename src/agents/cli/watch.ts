import type { Clock } from '../../core/clock.ts'
import type { ProviderErrorClass } from '../../models/port.ts'
import type { AgentResult } from '../port.ts'
import type { CliEvent } from './port.ts'

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

/** A request that its provider did not answer; the program is about to try again. */
export interface Trouble {
  class: ProviderErrorClass
  problem: string
  /** Until it tries again, where that is known. */
  delayMs?: number
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

export interface Watch {
  /** Aborts when the program must end. */
  readonly signal: AbortSignal
  readonly stopped: Stop | null
  /** Something came: a line, a byte from its provider. */
  alive: () => void
  /** One of its events. */
  hear: (event: CliEvent) => void
  /** A request to its provider begins, or has ended; only where the traffic is seen. */
  request: (now: 'began' | 'ended') => void
  /** Its provider did not answer. */
  failing: (trouble: Trouble) => void
  /** Its provider answered. */
  answered: () => void
  stop: (stop: Stop) => void
  /** The last trouble nothing good came after. */
  readonly trouble: Trouble | null
  /** Until when its provider wants to be left alone, after that trouble. Epoch ms. */
  retryAt: () => number | null
  end: () => void
}

/** A wait this long is better spent with another provider, or by the run that is parked. */
const LONGEST_WAIT_MS = 60_000
/** How often it is looked whether time is over, when the next such time is farther away. */
const LOOK_MS = 1000
/** What a program says when its provider has answered. */
const GOOD: readonly CliEvent['t'][] = ['text', 'thinking', 'tool', 'success']
/** What does not pass by trying again. */
const FINAL: readonly ProviderErrorClass[] = ['auth', 'quota']

/** Looks after one program: ends it when it is silent, hangs in a tool, or only tries again what does not pass. */
export function startWatch(about: {
  program: string
  clock: Clock
  limits: WatchLimits
  quiet: Quiet
  replaceable: boolean
  /** The caller's. */
  signal: AbortSignal
}): Watch {
  const { program, clock, limits, quiet, replaceable } = about
  const kill = new AbortController()
  const over = new AbortController()
  const began = clock.now()
  const tools = new Map<string, { name: string; since: number }>()
  let requests = 0
  let heard = false
  let last = began
  let stopped: Stop | null = null
  let trouble: (Trouble & { since: number; retryAt: number | null }) | null = null

  const stop = (reason: Stop): void => {
    if (stopped !== null || over.signal.aborted) return
    stopped = reason
    over.abort(new Error('over'))
    kill.abort(new Error(reason.problem))
  }
  const failed = (kind: ProviderErrorClass, problem: string, retryAt: number | null = null) =>
    stop({ status: 'failed', class: kind, problem, retryAt })
  /** Silence after a failed request is that failure. */
  const silent = (ms: number, what: string): (() => void) => {
    return () => {
      if (trouble) return failed(trouble.class, `${trouble.problem} Then ${program} ${what} for ${seconds(ms)}.`)
      return failed('timeout', `${program} ${what} for ${seconds(ms)} and was ended.`)
    }
  }

  /** How long it may say nothing now; null: as long as it likes. */
  function silence(): number | null {
    if (requests > 0) return limits.idleMs
    if (quiet === 'all') return null
    if (!heard) return limits.firstMs
    return quiet === 'calls' ? limits.toolMs : limits.idleMs
  }

  /** What ends it, and when. */
  function due(): { at: number; act: () => void }[] {
    const dues = [
      {
        at: began + limits.totalMs,
        act: () => stop(limited('time', `The time limit of ${seconds(limits.totalMs)} is reached.`)),
      },
    ]
    if (trouble) {
      const { class: kind, problem, since, retryAt } = trouble
      dues.push({
        at: since + limits.giveUpMs,
        act: () => failed(kind, `${problem} ${program} kept trying for ${seconds(limits.giveUpMs)}.`, retryAt),
      })
    }
    for (const { name, since } of tools.values()) {
      dues.push({
        at: since + limits.toolMs,
        act: () => failed('timeout', `${program} ran its tool ${name} for ${seconds(limits.toolMs)}.`),
      })
    }
    if (tools.size > 0) return dues
    const wait = silence()
    if (wait !== null) dues.push({ at: last + wait, act: silent(wait, heard ? 'said nothing' : 'said nothing at first') })
    return dues
  }

  async function look(): Promise<void> {
    while (!over.signal.aborted) {
      const next = due().toSorted((a, b) => a.at - b.at)[0]
      if (next === undefined) return
      const left = next.at - clock.now()
      if (left <= 0) return next.act()
      // What is due may change meanwhile: a tool ends, and silence counts again.
      await clock.sleep(Math.min(left, LOOK_MS), over.signal)
    }
  }
  look().catch(() => undefined) // it is over

  const alive = (): void => {
    last = clock.now()
    heard = true
  }
  const answered = (): void => {
    trouble = null
    alive()
  }
  const failing = (it: Trouble): void => {
    heard = true
    const retryAt = it.delayMs === undefined ? null : clock.now() + it.delayMs
    trouble = { class: it.class, problem: it.problem, since: trouble?.since ?? clock.now(), retryAt }
    const busy = it.class === 'rate_limited' || it.class === 'overloaded'
    if (FINAL.includes(it.class) || (busy && (replaceable || (it.delayMs ?? 0) > LONGEST_WAIT_MS))) failed(it.class, it.problem, retryAt)
    // A wait that was announced is no silence.
    if (it.delayMs !== undefined) last = Math.max(last, clock.now() + it.delayMs)
  }

  return {
    signal: AbortSignal.any([about.signal, kill.signal]),
    get stopped() {
      return stopped
    },
    get trouble() {
      return trouble
    },
    retryAt: () => trouble?.retryAt ?? null,
    alive,
    request(now) {
      requests = Math.max(0, requests + (now === 'began' ? 1 : -1))
      alive()
    },
    answered,
    failing,
    hear(event) {
      if (event.t === 'retry') return failing(event)
      if (event.t === 'notice' || event.t === 'error') return void (heard = true)
      if (event.t === 'tool' && event.phase === 'start') tools.set(event.id, { name: event.name, since: clock.now() })
      if (event.t === 'tool' && event.phase === 'end') tools.delete(event.id)
      // Figures are told of what failed, too.
      return GOOD.includes(event.t) ? answered() : alive()
    },
    stop,
    end: () => over.abort(new Error('over')),
  }
}

/** A limit of the request is reached. */
export function limited(limit: NonNullable<AgentResult['limit']>, problem: string): Stop {
  return { status: 'limited', class: null, problem, retryAt: null, limit }
}

function seconds(ms: number): string {
  const value = ms / 1000
  return `${value >= 10 ? Math.round(value) : value} s`
}
