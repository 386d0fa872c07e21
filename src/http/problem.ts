import { problemOf, ReeveError } from '../core/errors.ts'

/** The body of every error, after RFC 9457. */
export interface Problem {
  type: string
  title: string
  status: number
  code: string
  detail: string
  hint: string | null
  details: Readonly<Record<string, string | number>>
}

/** What was thrown, as a caller may know it: what is no `ReeveError` is a defect of ours, and its cause stays here. */
export function problemFor(error: unknown): Problem {
  const known = error instanceof ReeveError ? error : new ReeveError('internal', { problem: problemOf(error) })
  return {
    type: `urn:reeve:error:${known.code}`,
    title: known.code.replaceAll('_', ' '),
    status: known.status,
    code: known.code,
    detail: known.message,
    hint: known.hint ?? null,
    details: known.details,
  }
}

export const PROBLEM_TYPE = 'application/problem+json'

export function problemResponse(error: unknown, headers: Record<string, string> = {}): Response {
  const problem = problemFor(error)
  return new Response(`${JSON.stringify(problem)}\n`, {
    status: problem.status,
    headers: { 'content-type': PROBLEM_TYPE, ...retryOf(problem), ...headers },
  })
}

function retryOf({ status, details }: Problem): Record<string, string> {
  const seconds = details['seconds']
  if ((status !== 429 && status !== 503) || typeof seconds !== 'number') return {}
  return { 'retry-after': String(Math.max(1, Math.ceil(seconds))) }
}
