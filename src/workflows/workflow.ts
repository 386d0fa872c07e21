import { type ErrorCode, ReeveError } from '../core/errors.ts'
import type { Verdict } from '../core/verdict.ts'
import type { RunEnd, Workflow } from '../engine/port.ts'
import type { Job } from '../steps/job.ts'
import type { Kit } from '../steps/kit.ts'
import { prepareStep } from '../steps/prepare-step.ts'
import { finish } from './finish.ts'

/** Failures that end a run in an orderly way, with its evidence. Anything else is for the engine to handle. */
const ENDING: ReadonlySet<ErrorCode> = new Set([
  'provider_failed',
  'provider_not_found',
  'provider_key_missing',
  'no_provider',
  'role_not_found',
  'budget_reached',
])

/** A workflow whose body says how it ended: with a verdict, or with the reason why there is none. Evidence and landing follow in any case. */
export function workflow(kit: Kit, body: (job: Job) => Promise<RunEnd | Verdict>): Workflow {
  return async (run) => {
    const job = await prepareStep(run, kit)
    return finish(job, await ended(job, body))
  }
}

async function ended(job: Job, body: (job: Job) => Promise<RunEnd | Verdict>): Promise<RunEnd | Verdict> {
  try {
    return await body(job)
  } catch (error) {
    if (!(error instanceof ReeveError) || !ENDING.has(error.code)) throw error
    return { status: 'failed', reason: error.code === 'budget_reached' ? 'budget' : 'error', message: error.message }
  }
}
