import type { Clock } from '../core/clock.ts'

/** How often something happened since a time, which is less than `WINDOW_MS` ago. */
export interface Counted {
  since: number
  count: number
}

export const WINDOW_MS = 60_000
// The oldest is forgotten first, so memory stays bounded whoever asks from wherever.
const MOST_KEYS = 1000

/** Counts one more of a key; a window begins with the first. */
export function createCounts(clock: Pick<Clock, 'now'>): (key: string) => Counted {
  const all = new Map<string, Counted>()
  return (key) => {
    const now = clock.now()
    const known = all.get(key)
    const counted = known !== undefined && now - known.since < WINDOW_MS ? known : { since: now, count: 0 }
    counted.count++
    all.delete(key)
    all.set(key, counted)
    if (all.size > MOST_KEYS) all.delete(all.keys().next().value ?? '')
    return counted
  }
}
