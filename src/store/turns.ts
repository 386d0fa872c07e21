import { setImmediate } from 'node:timers/promises'

/**
 * Lets those who read much go one after the other, a page in each round of the event loop. Reads of SQLite are synchronous, and so is most of
 * what is done with their rows: without this, a hundred readers of old events keep everybody else waiting for a hundred pages.
 */
export type Turn = () => Promise<void>

export function createTurns(): Turn {
  let last = Promise.resolve()
  return () => {
    last = last.then(() => setImmediate())
    return last
  }
}
