import type { Clock } from '../core/clock.ts'

export interface IdleWatch {
  idleMs: number
  /** Is there anything that needs this process? A throw counts as yes. */
  busy: () => Promise<boolean>
  clock: Clock
  /** Aborting it ends the watch: it resolves. */
  signal: AbortSignal
}

// Often enough that the end comes about when it was announced; a look is one small query.
const LONGEST_MS = 15_000

/** Resolves when nobody has needed this process for so long. */
export async function untilIdle({ idleMs, busy, clock, signal }: IdleWatch): Promise<void> {
  let since = clock.now()
  while (!signal.aborted) {
    await clock.sleep(Math.min(idleMs / 10, LONGEST_MS), signal).catch(() => undefined)
    if (await busy().catch(() => true)) since = clock.now()
    else if (clock.now() - since >= idleMs) return
  }
}
