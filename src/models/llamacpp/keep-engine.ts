import type { Engine } from './engine.ts'

/** Then the process ends; the next call begins with loading the model again. */
const IDLE_MS = 60_000

/** Starts an engine; gives up when the signal aborts. */
export type Start = (signal: AbortSignal) => Promise<Engine>

/** One engine at a time: started at the first call, kept for the next ones, ended when none has come for a while. */
export interface KeptEngine {
  /** The engine that runs, or a new one. */
  engine(): Promise<Engine>
  /** Waits for the calls before this one, or until the signal aborts. */
  turn(signal: AbortSignal): Promise<{ end(): void }>
  close(): Promise<void>
}

/** Engines that outlive the providers that use them: a step makes its provider anew, the model stays loaded. Whoever made it closes it. */
export interface EnginePool {
  /** The engine of this key; `start` is used when it does not run. */
  keep(key: string, start: Start): KeptEngine
  close(): Promise<void>
}

/** Models that nobody uses make place before another one is loaded. */
export function createEnginePool(): EnginePool {
  const kept = new Map<string, KeptEngine & { readonly calls: number }>()
  const others = (key: string) => [...kept].filter(([it, { calls }]) => it !== key && calls === 0).map(([, it]) => it)
  return {
    keep(key, start) {
      const known = kept.get(key)
      if (known) return known
      const made = keepEngine(async (signal) => {
        await Promise.all(others(key).map((it) => it.close()))
        return start(signal)
      })
      kept.set(key, made)
      return made
    },
    async close() {
      await Promise.all([...kept.values()].map((it) => it.close()))
    },
  }
}

export function keepEngine(start: Start): KeptEngine & { readonly calls: number } {
  let current: Promise<Engine> | null = null
  let loading = new AbortController()
  let last: Promise<unknown> = Promise.resolve()
  let idle: NodeJS.Timeout | undefined
  let calls = 0
  const close = async () => {
    clearTimeout(idle)
    const closing = current
    current = null
    // Nobody waits until a model is loaded only to end it.
    loading.abort(new Error('closed'))
    await closing?.then(
      (it) => it.close(),
      () => undefined,
    )
  }
  return {
    close,
    get calls() {
      return calls
    },
    async engine() {
      const running = await current?.catch(() => null)
      if (running?.running) return running
      loading = new AbortController()
      current = start(loading.signal)
      return current
    },
    async turn(signal) {
      calls += 1
      const before = last
      const { promise, resolve } = Promise.withResolvers<void>()
      last = before.then(() => promise)
      await Promise.race([before, aborted(signal)])
      clearTimeout(idle)
      return {
        end() {
          calls -= 1
          clearTimeout(idle)
          idle = setTimeout(() => void close(), IDLE_MS).unref()
          resolve()
        },
      }
    },
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
