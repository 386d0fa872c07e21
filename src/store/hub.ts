import type { Clock } from '../core/clock.ts'
import type { Change, Others } from './others.ts'

/**
 * Tells who watches that something has changed: of this process's own writers after their commit, of other processes' within `LOOK_MS`.
 * One look serves all watchers, and there is none while nobody watches.
 */
export interface Hub {
  changed(change: Change): void
  /** Calls `listener` at changes until the returned function is called. Begin before reading, so that no change falls between. */
  listen(scope: Scope, listener: () => void): () => void
  /** The same for somebody who waits now and then. */
  watch(scope: Scope): Watch
  /** Everybody looks again. */
  wakeAll(): void
  close(): void
}

/** Some runs; or all events; or all that may let a run begin, go on or end: not what a run tells while it works. */
export type Scope = readonly string[] | 'events' | 'states'

export interface Watch {
  /** Resolves at a change since the last call, after `ms` (null: never), or when the signal aborts. Never rejects. */
  next(ms: number | null, signal?: AbortSignal): Promise<void>
  close(): void
}

// A look costs some microseconds when nothing has changed.
const LOOK_MS = 100

const nobody = () => {}

export function createHub(clock: Clock, others: Others): Hub {
  const byRun = new Map<string, Set<() => void>>()
  const ofEvents = new Set<() => void>()
  const ofStates = new Set<() => void>()
  let count = 0
  let looking: AbortController | null = null

  const tell = (listeners: Iterable<() => void> | undefined) => {
    for (const listener of listeners ?? []) listener()
  }

  function changed({ run, state }: Change): void {
    if (run !== null) tell(byRun.get(run))
    if (run !== null) tell(ofEvents)
    if (state) tell(ofStates)
  }

  function wakeAll(): void {
    for (const listeners of byRun.values()) tell(listeners)
    tell(ofEvents)
    tell(ofStates)
  }

  async function look(over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      await clock.sleep(LOOK_MS, over).catch(nobody)
      if (over.aborted) return
      // Who watches a store that cannot be read has to see that for itself.
      const changes = await others.changes().catch(() => 'many' as const)
      if (changes === 'many') wakeAll()
      else for (const change of changes) changed(change)
    }
  }

  function placesOf(scope: Scope): Set<() => void>[] {
    if (scope === 'events') return [ofEvents]
    if (scope === 'states') return [ofStates]
    return scope.map((run) => {
      const place = byRun.get(run) ?? new Set()
      byRun.set(run, place)
      return place
    })
  }

  function listen(scope: Scope, given: () => void): () => void {
    // Its own even where one function listens twice.
    const listener = () => given()
    for (const place of placesOf(scope)) place.add(listener)
    count += 1
    if (looking === null) {
      others.begin()
      looking = new AbortController()
      void look(looking.signal)
    }
    let listening = true
    return () => {
      if (!listening) return
      listening = false
      ofEvents.delete(listener)
      ofStates.delete(listener)
      for (const run of typeof scope === 'string' ? [] : scope) {
        byRun.get(run)?.delete(listener)
        if (byRun.get(run)?.size === 0) byRun.delete(run)
      }
      count -= 1
      if (count === 0) close()
    }
  }

  function watch(scope: Scope): Watch {
    let dirty = false
    let wake = nobody
    const stop = listen(scope, () => {
      dirty = true
      wake()
    })

    async function next(ms: number | null, signal?: AbortSignal): Promise<void> {
      if (!dirty && signal?.aborted !== true) {
        const over = new AbortController()
        const called = new Promise<void>((resolve) => {
          wake = resolve
        })
        signal?.addEventListener('abort', wake, { once: true })
        const waits = ms === null ? [called] : [called, clock.sleep(ms, over.signal).catch(nobody)]
        await Promise.race(waits)
        over.abort()
        signal?.removeEventListener('abort', wake)
        wake = nobody
      }
      dirty = false
    }
    return { next, close: stop }
  }

  function close(): void {
    looking?.abort()
    looking = null
  }

  return { changed, listen, watch, wakeAll, close }
}
