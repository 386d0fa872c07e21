import type { Clock } from '../../core/clock.ts'
import type { ProviderErrorClass } from '../../models/port.ts'
import { duesOf, failed, type Quiet, type Stop, type Watched, type WatchLimits } from './dues.ts'
import type { CliEvent } from './port.ts'

/** A request that its provider did not answer; the program is about to try again. */
export interface Trouble {
  class: ProviderErrorClass
  problem: string
  /** Until it tries again, where that is known. */
  delayMs?: number
}

export interface Watch {
  /** Aborts when the program must end. */
  readonly signal: AbortSignal
  readonly stopped: Stop | null
  /** The last trouble nothing good came after. */
  readonly trouble: Watched['trouble']
  /** Something came: a line, a byte from its provider. */
  alive: () => void
  /** One of its events. */
  hear: (event: CliEvent) => void
  /** A request to its provider begins, or has ended; only where the traffic is seen. */
  request: (now: 'began' | 'ended') => void
  /** Its provider answered. */
  answered: () => void
  stop: (stop: Stop) => void
  /** It has ended: nothing stops it any more. */
  end: () => void
}

/** A wait this long is better spent with another provider, or by the run that is parked. */
const LONGEST_WAIT_MS = 60_000
/** Of a provider that has not answered at all, where another could: nothing is lost with it. */
const MOST_TRIES = 2
/** How often it is looked whether time is over, when the next such time is farther away. */
const LOOK_MS = 1000
/** What a program says when its provider has answered. */
const GOOD: readonly CliEvent['t'][] = ['text', 'thinking', 'tool', 'success']
/** What does not pass by trying again. */
const FINAL: readonly ProviderErrorClass[] = ['auth', 'quota']
/** What passes by itself, and sooner elsewhere. After a silence it has been waited long enough. */
const BUSY: readonly ProviderErrorClass[] = ['rate_limited', 'overloaded', 'timeout']

/** Looks after one program: ends it when it is silent, hangs in a tool, or only tries again what does not pass. */
export function startWatch(about: {
  program: string
  clock: Clock
  limits: WatchLimits
  quiet: Quiet
  replaceable: boolean
  /** Its traffic is seen: what it says is no answer of its provider's, since half an answer makes it speak as well. */
  metered?: boolean
  /** The caller's. */
  signal: AbortSignal
}): Watch {
  const { clock, limits, quiet, replaceable, metered = false } = about
  const kill = new AbortController()
  const over = new AbortController()
  let stopped: Stop | null = null
  let answers = 0
  let tries = 0
  const now = clock.now()
  const it: Watched = { program: about.program, began: now, heard: false, last: now, requests: 0, tools: new Map(), trouble: null }

  const stop = (reason: Stop): void => {
    if (stopped !== null || over.signal.aborted) return
    stopped = reason
    over.abort(new Error('over'))
    kill.abort(new Error(reason.problem))
  }
  const alive = (): void => {
    it.last = Math.max(it.last, clock.now())
    it.heard = true
  }
  const answered = (): void => {
    answers += 1
    tries = 0
    it.trouble = null
    it.last = clock.now()
    it.heard = true
  }
  const failing = ({ class: kind, problem, delayMs = 0 }: Trouble): void => {
    const at = clock.now()
    it.heard = true
    it.trouble = { class: kind, problem, since: it.trouble?.since ?? at, retryAt: delayMs === 0 ? null : at + delayMs }
    tries += 1
    const tried = replaceable && answers === 0 && tries >= MOST_TRIES
    if (tried || isHopeless(it.trouble, about, at, delayMs)) stop(failed(kind, problem, it.trouble.retryAt))
    // A wait that was announced is no silence.
    it.last = Math.max(it.last, at + delayMs)
  }
  lookAfter(() => duesOf(it, limits, quiet), clock, stop, over.signal).catch(() => undefined) // it is over

  return {
    signal: AbortSignal.any([about.signal, kill.signal]),
    get stopped() {
      return stopped
    },
    get trouble() {
      return it.trouble
    },
    alive,
    answered,
    stop,
    request(what) {
      it.requests = Math.max(0, it.requests + (what === 'began' ? 1 : -1))
      alive()
    },
    hear(event) {
      if (event.t === 'retry') return failing(event)
      if (event.t === 'notice' || event.t === 'error') return void (it.heard = true)
      if (event.t === 'tool' && event.phase === 'start') it.tools.set(event.id, { name: event.name, since: clock.now() })
      if (event.t === 'tool' && event.phase === 'end') it.tools.delete(event.id)
      // Figures are told of what failed, too.
      return GOOD.includes(event.t) && !metered ? answered() : alive()
    },
    end: () => over.abort(new Error('over')),
  }
}

/** Is it of no use, or of less use than another way, to let it try again? */
function isHopeless(
  trouble: NonNullable<Watched['trouble']>,
  { limits, replaceable }: { limits: WatchLimits; replaceable: boolean },
  now: number,
  delayMs: number,
): boolean {
  if (FINAL.includes(trouble.class)) return true
  if (BUSY.includes(trouble.class) && replaceable) return true
  return delayMs > LONGEST_WAIT_MS || now + delayMs > trouble.since + limits.giveUpMs
}

/** Stops what is due. Rejects when it is over. */
async function lookAfter(
  dues: () => { at: number; stop: Stop }[],
  clock: Clock,
  stop: (reason: Stop) => void,
  over: AbortSignal,
): Promise<void> {
  while (!over.aborted) {
    const next = dues().toSorted((a, b) => a.at - b.at)[0]
    if (next === undefined) return
    const left = next.at - clock.now()
    if (left <= 0) return stop(next.stop)
    // What is due may change meanwhile: a tool ends, and silence counts again.
    await clock.sleep(Math.min(left, LOOK_MS), over)
  }
}
