import { ReeveError } from '../core/errors.ts'

const MINUTE_MS = 60_000
const UNITS: Readonly<Record<string, number>> = { m: MINUTE_MS, h: 60 * MINUTE_MS, d: 1440 * MINUTE_MS, w: 7 * 1440 * MINUTE_MS }

/** Milliseconds of "30m", "24h", "7d", "2w"; null: it is none of these. */
export function durationMs(text: string): number | null {
  const [, count, unit] = /^(\d{1,6})([mhdw])$/.exec(text) ?? []
  return count === undefined || unit === undefined ? null : Number(count) * (UNITS[unit] ?? 0)
}

/** Epoch ms of what a person means by "since". Throws `invalid_input`. */
export function sinceOf(text: string, now: number): number {
  const ago = durationMs(text)
  if (ago !== null) return now - ago
  // A day begins where the user is.
  const day = /^\d{4}-\d\d-\d\d$/.test(text) ? new Date(`${text}T00:00:00`).getTime() : Number.NaN
  if (!Number.isNaN(day)) return day
  const allowed = 'minutes, hours, days or weeks such as 30m, 24h, 7d and 2w, or a day such as 2026-11-01'
  throw new ReeveError('invalid_input', { problem: `--since is "${text}"; allowed: ${allowed}` })
}
