import type { Clock } from '../core/clock.ts'
import { createCounts, WINDOW_MS } from './counts.ts'

/** Counts the failed tries of each source. */
export interface Tries {
  /** One more. In how many seconds the next may fail; null: it is within the limit. */
  failed(from: string): number | null
}

// A person who mistypes, a program with an old key that is restarted; who guesses needs 2^255.
const MOST_FAILED = 20

export function createTries(clock: Clock): Tries {
  const count = createCounts(clock)
  return {
    failed(from) {
      const counted = count(from)
      return counted.count > MOST_FAILED ? Math.max(1, Math.ceil((counted.since + WINDOW_MS - clock.now()) / 1000)) : null
    },
  }
}
