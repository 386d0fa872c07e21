import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Actor } from '../core/actor.ts'
import type { Clock } from '../core/clock.ts'
import { ReeveError } from '../core/errors.ts'

export interface Limits {
  /** Counts a request. Throws `too_many_requests`, `overloaded`. */
  request(actor: Actor): void
  /** Counts a stream until what it gives is called. Throws `too_many_requests`. */
  stream(actor: Actor): () => void
}

export interface LimitOptions {
  clock: Clock
  /** Of one caller in any minute. */
  requestsPerMinute: number
  /** Streams of one caller at the same time. */
  streamsPerCaller: number
  /** How late this process is with what it has to do, in ms: see `loopDelay`. */
  loopDelay: () => number
}

const MINUTE_MS = 60_000
/** Answers that come a second late are worth less than fewer of them in time. */
const TOO_LATE_MS = 1000
/** Callers that are remembered; the oldest are forgotten first. */
const REMEMBERED = 10_000

/** Holds programs with an API key. The person at this machine is never held: it is theirs. */
export function createLimits({ clock, requestsPerMinute, streamsPerCaller, loopDelay }: LimitOptions): Limits {
  const calls = new Map<string, Recent>()
  const streams = new Map<string, number>()

  return {
    request({ kind, name }) {
      if (kind === 'user') return
      if (loopDelay() > TOO_LATE_MS) throw new ReeveError('overloaded', { problem: 'answers come more than a second late', seconds: 2 })
      const recent = calls.get(name) ?? { times: [], next: 0 }
      calls.delete(name)
      calls.set(name, recent)
      const [oldest] = calls.keys()
      if (calls.size > REMEMBERED && oldest !== undefined) calls.delete(oldest)
      const wait = count(recent, requestsPerMinute, clock.now())
      if (wait === 0) return
      const problem = `${name} has sent ${requestsPerMinute} in the last minute`
      throw new ReeveError('too_many_requests', { problem, seconds: Math.ceil(wait / 1000) })
    },
    stream({ kind, name }) {
      if (kind === 'user') return () => undefined
      const open = streams.get(name) ?? 0
      if (open >= streamsPerCaller) {
        throw new ReeveError('too_many_requests', { problem: `${name} reads ${streamsPerCaller} streams already`, seconds: 10 })
      }
      streams.set(name, open + 1)
      let over = false
      return () => {
        if (over) return
        over = true
        const left = (streams.get(name) ?? 1) - 1
        if (left > 0) streams.set(name, left)
        else streams.delete(name)
      }
    },
  }
}

/** The times of the last requests, as a ring that begins at `next` once it is full. */
interface Recent {
  times: number[]
  next: number
}

/** Ms until the next request may come; 0: it may, and is counted. */
function count(recent: Recent, limit: number, now: number): number {
  const full = recent.times.length >= limit
  const oldest = full ? (recent.times[recent.next] ?? 0) : 0
  if (full && now - oldest < MINUTE_MS) return MINUTE_MS - (now - oldest)
  if (full) recent.times[recent.next] = now
  else recent.times.push(now)
  recent.next = full ? (recent.next + 1) % limit : 0
  return 0
}

/** The mean delay of this process in the last seconds. Call once per process. */
export function loopDelay(): () => number {
  // Coarse enough to cost nothing; a stall of a second is what is looked for.
  const histogram = monitorEventLoopDelay({ resolution: 50 })
  histogram.enable()
  let last = 0
  setInterval(() => {
    last = histogram.count === 0 ? 0 : histogram.mean / 1e6
    histogram.reset()
  }, 2000).unref()
  return () => last
}
