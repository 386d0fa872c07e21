import type { RunEvent } from '../../core/event.ts'

/** What keeps a run from going on, or has ended it; the words that programs look for. */
export const CAUSES = [
  'at_work',
  'silent',
  'process_gone',
  'pausing',
  'no_worker',
  'queue_paused',
  'held',
  'scheduled',
  'limits',
  'turn',
  'next',
  'approval',
  'paused',
  'quota',
  'dependency',
  'budget',
  'crashes',
  'crash_loop',
  'gates',
  'timeout',
  'dependency_failed',
  'provider_failed',
  'provider_limited',
  'isolation',
  'resource_limit',
  'network_refused',
  'disk_full',
  'error',
  'cancelled',
  'succeeded',
] as const
export type Cause = (typeof CAUSES)[number]

/** One thing that was found, with the numbers of the events that show it. */
export interface Found {
  cause: Cause
  /** A sentence or two. */
  text: string
  events: number[]
}

/** What to type next, and what for. */
export interface Next {
  command: string
  why: string
}

export function found(cause: Cause, text: string, ...events: (RunEvent | undefined)[]): Found {
  return { cause, text, events: events.flatMap((it) => it?.seq ?? []) }
}

/** A field of an event as text; '' where there is none. */
export function word(event: RunEvent | undefined, key: string): string {
  const value = event?.data[key]
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}

/** `40 s`, `12 min`, `3 h`, `2 days`. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 90) return `${seconds} s`
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`
}

/** A sentence ends with a full stop, whoever has written it. */
export function ended(text: string): string {
  const trimmed = text.trim()
  return trimmed === '' || /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`
}
