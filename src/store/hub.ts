import type { Clock } from '../core/clock.ts'

/** Tells watchers in this process that a run has changed, after the commit. Writers in other processes are found by polling. */
export interface Hub {
  changed(run: string): void
  /** Watches one run, or all of them with null. Begin before reading, so that no change falls between. */
  watch(run: string | null): Watch
}

export interface Watch {
  /** Resolves at a change since the last call, after `ms`, or when the signal aborts. Never rejects. */
  next(ms: number, signal?: AbortSignal): Promise<void>
  close(): void
}

const nobody = () => {}

export function createHub(clock: Clock): Hub {
  const listeners = new Set<(run: string) => void>()

  function watch(run: string | null): Watch {
    let dirty = false
    let wake = nobody
    const listener = (changed: string) => {
      if (run !== null && changed !== run) return
      dirty = true
      wake()
    }
    listeners.add(listener)

    async function next(ms: number, signal?: AbortSignal): Promise<void> {
      if (!dirty && signal?.aborted !== true) {
        const over = new AbortController()
        wake = () => over.abort()
        signal?.addEventListener('abort', wake, { once: true })
        await clock.sleep(ms, over.signal).catch(() => undefined)
        signal?.removeEventListener('abort', wake)
      }
      dirty = false
    }
    return { next, close: () => listeners.delete(listener) }
  }

  return {
    changed: (run) => {
      for (const listener of listeners) listener(run)
    },
    watch,
  }
}
