import type { Problem } from './dialect.ts'
import type { Behaviour, Fault } from './script.ts'

/** What is wrong with a request's answer, or null. Counts: one for each server. */
export function createFaults(behaviours: readonly Behaviour[]): (request: { number: number; text: string }) => Behaviour | null {
  const played = new Map<Behaviour, number>()
  const patterns = new Map(behaviours.map((it) => [it, it.when === undefined ? null : new RegExp(it.when)]))
  return ({ number, text }) => {
    const found = behaviours.find((it) => {
      if (it.on !== undefined && !it.on.includes(number)) return false
      if (it.times !== undefined && (played.get(it) ?? 0) >= it.times) return false
      return patterns.get(it)?.test(text) ?? true
    })
    if (!found) return null
    played.set(found, (played.get(found) ?? 0) + 1)
    return found
  }
}

const STATUSES: Partial<Record<Fault, readonly [status: number, kind: Problem['kind'], message: string]>> = {
  auth: [401, 'auth', 'Invalid API key.'],
  forbidden: [403, 'forbidden', 'This key may not use this model.'],
  not_found: [404, 'not_found', 'The model does not exist: model not found.'],
  context_too_long: [400, 'context_too_long', 'The prompt is too long: it exceeds the maximum context length of 200000 tokens.'],
  rate_limited: [429, 'rate_limited', 'Rate limit reached, too many requests.'],
  quota: [429, 'quota', 'You exceeded your current quota, please check your plan and billing details.'],
  server: [500, 'server', 'Internal server error.'],
  unavailable: [503, 'unavailable', 'The service is unavailable.'],
  overloaded: [503, 'overloaded', 'Overloaded.'],
}
/** What a rate limit says when the script does not. */
const RETRY_AFTER_SECONDS = 2

/** The answer with a status that a fault is; null where it is another kind of fault. */
export function problemOf(it: Behaviour, dialect: string): (Problem & { retryAfter: number | null }) | null {
  const known = it.fault === undefined ? undefined : STATUSES[it.fault]
  if (!known) return it.status === undefined ? null : withStatus(it, [it.status, 'server', 'Scripted failure.'])
  // Only one of the APIs has a status of its own for that.
  return withStatus(it, it.fault === 'overloaded' && dialect === 'anthropic' ? [529, known[1], known[2]] : known)
}

function withStatus(
  it: Behaviour,
  [status, kind, message]: readonly [number, Problem['kind'], string],
): Problem & { retryAfter: number | null } {
  const retryAfter = it.retry_after ?? (it.fault === 'rate_limited' ? RETRY_AFTER_SECONDS : null)
  return { status: it.status ?? status, kind, message: it.message ?? message, retryAfter }
}
