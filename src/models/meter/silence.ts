import { ProviderFailure } from '../guard.ts'

export interface Silence {
  /** Aborts when nothing came for too long, or the whole took too long. */
  readonly signal: AbortSignal
  /** Something came. */
  heard: () => void
  end: () => void
}

/** The time-outs of one request. The provider's reason is a `ProviderFailure`. */
export function createSilence({ firstByteMs, idleMs, requestMs }: { firstByteMs: number; idleMs: number; requestMs: number }): Silence {
  const stop = new AbortController()
  const late = (ms: number, setting: string) =>
    stop.abort(
      new ProviderFailure(
        'timeout',
        `${setting === 'request_timeout_seconds' ? 'The answer took longer than' : 'Nothing came for'} ${ms / 1000} s (${setting}).`,
      ),
    )
  const total = setTimeout(() => late(requestMs, 'request_timeout_seconds'), requestMs)
  let quiet = setTimeout(() => late(firstByteMs, 'first_byte_timeout_seconds'), firstByteMs)
  let first = true
  return {
    signal: stop.signal,
    heard() {
      quiet.refresh()
      if (!first) return
      first = false
      clearTimeout(quiet)
      quiet = setTimeout(() => late(idleMs, 'idle_timeout_seconds'), idleMs)
    },
    end() {
      clearTimeout(total)
      clearTimeout(quiet)
    },
  }
}
