import { ReeveError } from '../core/errors.ts'
import type { Verdict } from '../core/verdict.ts'
import { agentStep } from '../steps/agent-step.ts'
import { gateStep } from '../steps/gate-step.ts'
import { refineGoal } from '../steps/goals.ts'
import type { Job } from '../steps/job.ts'
import { keepStep } from '../steps/keep-step.ts'
import type { Work } from '../steps/work.ts'
import { isGreen } from './attempts.ts'

/** Lets the refiner tidy a green change where `runs.refine` says so; its work is dropped when a gate fails after it. The new verdict, or null when nothing changed. */
export async function refine(job: Job, depth: 'quick' | 'full' = 'quick'): Promise<Verdict | null> {
  if (!job.settings.runs.refine) return null
  const { checkpoint, verdict: green, judged } = job
  const work = await tidy(job)
  if (!work?.changed) return null
  const verdict = await gateStep(job, { name: 'refine/gates', depth, attempt: 1 })
  if (isGreen(verdict)) return verdict
  const summary = `refinement dropped: ${verdict.summary}`
  await keepStep(job, { name: 'refine/drop', attempt: 1, summary, restoreTo: checkpoint, back: { verdict: green, judged } })
  return null
}

/** Null when no provider can: the change is green without it. */
async function tidy(job: Job): Promise<Work | null> {
  try {
    return await agentStep(job, {
      name: 'refine',
      role: 'refiner',
      attempt: 1,
      goal: () => refineGoal(job),
      message: 'refactor: tidy the change',
      spare: true,
    })
  } catch (error) {
    if (error instanceof ReeveError && error.code === 'provider_failed') return null
    throw error
  }
}
