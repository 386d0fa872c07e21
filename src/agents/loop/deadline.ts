import type { Clock } from '../../core/clock.ts'

export interface Deadline {
  /** Aborts when the caller aborts and when the time is over. */
  signal: AbortSignal
  readonly over: boolean
  end(): void
}

/** A signal that also ends when `ms` are over. */
export function startDeadline(signal: AbortSignal, ms: number, clock: Clock): Deadline {
  const timer = new AbortController()
  const timeout = new AbortController()
  clock.sleep(ms, timer.signal).then(
    () => timeout.abort(new Error('The time limit is reached.')),
    () => {},
  )
  return {
    signal: AbortSignal.any([signal, timeout.signal]),
    get over() {
      return timeout.signal.aborted
    },
    end: () => timer.abort(new Error('over')),
  }
}
