import type { Clock } from '../core/clock.ts'

/** Counts the failed tries of each source. */
export interface Tries {
  /** One more. In how many seconds the next may fail; null: it is within the limit. */
  failed(from: string): number | null
}

const WINDOW_MS = 60_000
// A person who mistypes, a program with an old key that is restarted; who guesses needs 2^255.
const MOST_FAILED = 20
// Sources that are remembered; the oldest is forgotten first, so memory stays bounded whoever asks from wherever.
const MOST_SOURCES = 1000

export function createTries(clock: Clock): Tries {
  const sources = new Map<string, { since: number; count: number }>()
  return {
    failed(from) {
      const now = clock.now()
      const known = sources.get(from)
      const counted = known !== undefined && now - known.since < WINDOW_MS ? known : { since: now, count: 0 }
      counted.count++
      sources.delete(from)
      sources.set(from, counted)
      if (sources.size > MOST_SOURCES) sources.delete(sources.keys().next().value ?? '')
      return counted.count > MOST_FAILED ? Math.max(1, Math.ceil((counted.since + WINDOW_MS - now) / 1000)) : null
    },
  }
}
