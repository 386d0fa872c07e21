import type { ProviderErrorClass } from '../../models/port.ts'

/**
 * What messages of CLI agents mean, the first that matches. Checked on recorded messages of ten CLIs (`classify.test.ts`): the order counts,
 * since a message often carries words of a later line.
 */
const PATTERNS: readonly [ProviderErrorClass, RegExp][] = [
  ['auth', /\b(401|403)\b|invalid api key|authenticat|not logged in/i],
  ['quota', /quota|billing|insufficient/i],
  ['rate_limited', /\b429\b|rate.?limit/i],
  ['overloaded', /\b(529|503)\b|overloaded|at capacity|high demand/i],
  ['server', /\b50[02]\b|internal server/i],
  [
    'network',
    /ECONNREFUSED|connection (error|refused|reset)|fetch failed|(unable|could not|cannot) (to )?connect|waiting for network|network issues/i,
  ],
  ['timeout', /idle timeout|timed out/i],
  ['refused', /content.?filter|moderation|refus|SAFETY/i],
  ['context_too_long', /context|too long|ran out of room/i],
  ['model', /model.*not found|no-such-model|selected model|\b404\b/i],
  ['bad_output', /JSON|failed to parse|decoding response|stream (disconnected|closed)|terminated|premature close|socket/i],
  ['config', /trusted directory/i],
]
const QUOTA = /quota|billing|insufficient/i
/** What a model says that declines; only asked where nothing was done. */
const DECLINES = /\b(can(no|')t|unable to|won't|not able to) (help|assist|comply|do that|continue)\b/i
/** Longer messages carry whole files or stacks: what counts comes first. */
const LOOKED_AT = 4000
const PROBLEM_LENGTH = 400

/** The class of a message, and of an HTTP status where there was one: the status counts more. null: it says nothing that we know. */
export function classOf(message: string, status?: number): ProviderErrorClass | null {
  const text = message.slice(0, LOOKED_AT).replaceAll(/https?:\/\/\S+/g, '')
  return (status === undefined ? null : classOfStatus(status, text)) ?? PATTERNS.find(([, pattern]) => pattern.test(text))?.[0] ?? null
}

/** Does the model say that it will not? */
export function declines(text: string): boolean {
  return DECLINES.test(text.slice(0, LOOKED_AT))
}

/** How long a message says to wait, in ms: "Suggested retry after 2s", "try again in 1.5 minutes". */
export function waitIn(message: string): number | undefined {
  const found = /(?:retry|try again|retrying) (?:after|in) (\d+(?:\.\d+)?) ?(ms|milliseconds?|s|sec|seconds?|m|min|minutes?)\b/i.exec(
    message.slice(0, LOOKED_AT),
  )
  if (!found) return undefined
  const unit = (found[2] ?? 's').toLowerCase()
  const factor = unit.startsWith('ms') || unit.startsWith('milli') ? 1 : unit.startsWith('m') ? 60_000 : 1000
  return Math.round(Number(found[1]) * factor)
}

/** A message for people: one line, not too long. */
export function problemIn(message: string): string {
  const line = message.slice(0, LOOKED_AT).replaceAll(/\s+/g, ' ').trim()
  return line.length > PROBLEM_LENGTH ? `${line.slice(0, PROBLEM_LENGTH)}…` : line
}

function classOfStatus(status: number, text: string): ProviderErrorClass | null {
  if (status === 429) return QUOTA.test(text) ? 'quota' : 'rate_limited'
  if (status === 401 || status === 403) return 'auth'
  if (status === 402) return 'quota'
  if (status === 404) return 'model'
  if (status === 408) return 'timeout'
  if (status === 413) return 'context_too_long'
  if (status === 503 || status === 529) return 'overloaded'
  return status >= 500 ? 'server' : null
}
