import type { Clock } from '../core/clock.ts'
import type { Logger } from '../telemetry/logger.ts'

export interface TroubleOptions {
  process: Pick<NodeJS.Process, 'on' | 'off'>
  log: Logger
  clock: Pick<Clock, 'now'>
  /** Called when the process is not to be trusted any more, with the reason. */
  onBroken: (why: string) => void
}

// One error that nobody caught is a defect of one request or one run; a stream of them is a process that only makes noise.
const MOST = 20
const WITHIN_MS = 60_000

/**
 * Errors that nobody caught are logged and end nothing: the runs of all others go on, since what a run has done is in the store. Too many of
 * them in a minute do, and so does a store that is damaged. Returns how to stop listening.
 */
export function watchTrouble({ process, log, clock, onBroken }: TroubleOptions): () => void {
  let recent: number[] = []
  const note = (what: string) => (error: unknown) => {
    log.error(what, { problem: error })
    const now = clock.now()
    recent = [...recent.filter((it) => now - it < WITHIN_MS), now]
    if (isDamage(error)) onBroken('the store is damaged')
    else if (recent.length > MOST) onBroken(`${recent.length} errors that nobody caught within a minute`)
  }
  const uncaught = note('an error that nobody caught')
  const unhandled = note('a failure that nobody waited for')
  process.on('uncaughtException', uncaught)
  process.on('unhandledRejection', unhandled)
  return () => {
    process.off('uncaughtException', uncaught)
    process.off('unhandledRejection', unhandled)
  }
}

/** SQLite's "malformed" and "not a database". */
function isDamage(error: unknown): boolean {
  const code = (error as { errcode?: unknown } | null)?.errcode
  return typeof code === 'number' && [11, 26].includes(code & 0xff)
}
