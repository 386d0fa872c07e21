import type { Engine } from './engine.ts'

/** Then the process ends; the next call begins with loading the model again. */
const IDLE_MS = 60_000

export interface KeptEngine {
  /** The engine that runs, or a new one. */
  engine(): Promise<Engine>
  /** Waits for the calls before this one, or until the signal aborts. */
  turn(signal: AbortSignal): Promise<{ end(): void }>
  close(): Promise<void>
}

/** One engine at a time: started at the first call, kept for the next ones, ended when none has come for a while. */
export function keepEngine(start: () => Promise<Engine>): KeptEngine {
  let current: Promise<Engine> | null = null
  let last: Promise<unknown> = Promise.resolve()
  let idle: NodeJS.Timeout | undefined
  const close = async () => {
    clearTimeout(idle)
    const closing = current
    current = null
    await closing?.then(
      (it) => it.close(),
      () => undefined,
    )
  }
  return {
    close,
    async engine() {
      const running = await current?.catch(() => null)
      if (running?.running) return running
      current = start()
      return current
    },
    async turn(signal) {
      const before = last
      const { promise, resolve } = Promise.withResolvers<void>()
      last = before.then(() => promise)
      await Promise.race([before, aborted(signal)])
      clearTimeout(idle)
      return {
        end() {
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
