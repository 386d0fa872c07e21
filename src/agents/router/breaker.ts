import type { ProviderSettings } from '../../core/settings.ts'
import type { ProviderErrorClass } from '../../models/port.ts'
import type { Failure, Known } from './port.ts'

// A provider that has just said "too many" is not the one to give more work to, if there is another.
const SHORTEST_LIMIT_MS = 30_000
const UNSAID_LIMIT_MS = 60_000
// Plans are paid by the hour at the shortest.
const UNSAID_QUOTA_MS = 3_600_000
// Somebody has to change something; what changed outside of the configuration, such as a log-in, is noticed so.
const MISCONFIGURED_MS = 900_000
const SHOWN = 300

/** What is known at once to hold for a while. */
const LIMITED: readonly ProviderErrorClass[] = ['rate_limited', 'quota']
const MISCONFIGURED: readonly ProviderErrorClass[] = ['auth', 'config', 'model']
/** The server did not begin to answer: nothing was worked on, and nothing has to be paid. */
const UNBEGUN: readonly ProviderErrorClass[] = ['auth', 'rate_limited', 'quota', 'overloaded', 'network', 'model', 'config']
/** It did answer: whatever is wrong is wrong with this question, or it was us who ended it. */
const HEALTHY: readonly ProviderErrorClass[] = ['refused', 'context_too_long']

export const isLimited = (kind: string | null): boolean => LIMITED.some((it) => it === kind)
export const isMisconfigured = (kind: string | null): boolean => MISCONFIGURED.some((it) => it === kind)
export const isUnbegun = (kind: ProviderErrorClass | null): boolean => kind !== null && UNBEGUN.includes(kind)
export const isHealthy = (kind: ProviderErrorClass | null): boolean => kind === null || HEALTHY.includes(kind)

/** How long a failure of this class keeps a provider from runs. */
export function failureOf(
  kind: ProviderErrorClass,
  problem: string,
  retryInMs: number | null,
  { breaker }: Pick<ProviderSettings, 'breaker'>,
): Failure {
  const shared = { class: kind, problem: shortened(problem), threshold: breaker.failures, recoveryMs: breaker.recovery_seconds * 1000 }
  return {
    ...shared,
    openMs: openMs(kind, retryInMs),
    retryMs: kind === 'rate_limited' ? Math.max(1000, retryInMs ?? UNSAID_LIMIT_MS) : null,
  }
}

function openMs(kind: ProviderErrorClass, retryInMs: number | null): number | null {
  if (kind === 'rate_limited') return Math.max(SHORTEST_LIMIT_MS, retryInMs ?? UNSAID_LIMIT_MS)
  if (kind === 'quota') return Math.max(1000, retryInMs ?? UNSAID_QUOTA_MS)
  return isMisconfigured(kind) ? MISCONFIGURED_MS : null
}

function shortened(problem: string): string {
  return problem.length > SHOWN ? `${problem.slice(0, SHOWN - 1)}…` : problem
}

/** `open`: left alone. `half-open`: one may try. `trying`: one does. */
export type Health =
  | { status: 'closed' }
  | { status: 'half-open'; class: string; problem: string }
  | { status: 'open' | 'trying'; forMs: number; retryInMs: number; class: string; problem: string; failures: number }

export function healthOf(known: Known | undefined): Health {
  if (!known || known.openFor === null) return { status: 'closed' }
  const { class: kind, problem, failures } = known
  if (known.openFor > 0)
    return { status: 'open', forMs: known.openFor, retryInMs: known.retryIn ?? known.openFor, class: kind, problem, failures }
  // A limit that is over needs no trying.
  if (isLimited(kind)) return { status: 'closed' }
  if (known.triedFor > 0) return { status: 'trying', forMs: known.triedFor, retryInMs: known.triedFor, class: kind, problem, failures }
  return { status: 'half-open', class: kind, problem }
}
