import type { Verdict } from '../core/verdict.ts'
import type { RunEnd, Workflow } from '../engine/port.ts'
import { gateStep } from '../steps/gate-step.ts'
import type { Part } from '../steps/goals.ts'
import type { Job } from '../steps/job.ts'
import type { Kit } from '../steps/kit.ts'
import { attemptUntilGreen, isGreen } from './attempts.ts'
import { makePlan } from './plan.ts'
import { refine } from './refine.ts'
import { workflow } from './workflow.ts'
import { writeTests } from './write-tests.ts'

/** The main workflow: plan, then per part tests that are red and attempts until the gates are green; then refine, prove and land. */
export function createBuild(kit: Kit): Workflow {
  return workflow(kit, async (job) => {
    const plan = await makePlan(job)
    if ('end' in plan) return plan.end

    for (const [at, part] of plan.parts.entries()) {
      const end = await buildPart(job, part, `part-${at + 1}`)
      if (end) return end
    }
    await refine(job)
    return prove(job)
  })
}

async function buildPart(job: Job, part: Part, name: string): Promise<RunEnd | null> {
  const tests = await writeTests(job, part, name)
  if (tests) return tests
  const built = await attemptUntilGreen(job, {
    name,
    part,
    role: job.task.role,
    depth: 'quick',
    maxAttempts: job.settings.runs.max_attempts,
    review: true,
  })
  return 'end' in built ? built.end : null
}

/** All gates, the red proof and the protected files, over everything together. What is refuted goes back, while attempts are left. */
async function prove(job: Job): Promise<RunEnd | Verdict> {
  const verdict = await gateStep(job, { name: 'final', depth: 'full', attempt: 1 })
  if (isGreen(verdict)) return verdict
  const left = job.settings.runs.max_attempts - 1
  if (left < 1) return { status: 'failed', reason: 'gates', message: `The final gates said no: ${verdict.summary}` }
  const whole: Part = { id: 'all', title: job.task.title, goal: '', files: [] }
  const mended = await attemptUntilGreen(job, {
    name: 'mend',
    part: whole,
    role: job.task.role,
    depth: 'full',
    maxAttempts: left,
    known: verdict,
    review: false,
  })
  return 'end' in mended ? mended.end : mended.verdict
}
