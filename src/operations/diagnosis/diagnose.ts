import { isFinished } from '../../core/run.ts'
import type { Facts } from './facts.ts'
import type { Found, Next } from './finding.ts'
import { diagnoseFinished } from './finished.ts'
import { nextFor } from './next.ts'
import { diagnoseUnfinished } from './unfinished.ts'

export interface Diagnosis {
  /** The one sentence to read. */
  headline: string
  findings: Found[]
  next: Next[]
}

/** Why a run is not further, or how it ended, and what to do. Pure: the same facts give the same answer, and no model is asked. */
export function diagnose(facts: Facts): Diagnosis {
  const findings = isFinished(facts.row.state) ? diagnoseFinished(facts) : diagnoseUnfinished(facts)
  return { headline: findings[0]?.text ?? `It is ${facts.row.state}.`, findings, next: nextFor(facts, findings) }
}
