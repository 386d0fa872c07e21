import { crashAt } from '../core/crash.ts'
import { land } from '../workspace/land.ts'
import type { Job } from './job.ts'
import { landingMessage } from './landing-message.ts'
import { ISOLATION } from './prepare-step.ts'

/** Lands a green run as configured. Idempotent: landing the same run twice makes one commit. */
export async function landStep(job: Job, how: 'branch' | 'merge' | 'squash'): Promise<void> {
  const { run, workspace, task } = job
  await run.step({ name: 'land', kind: 'land', input: { how, commit: job.checkpoint } }, async (step) => {
    const landed = await land({
      project: job.project,
      run: run.id,
      commit: job.checkpoint,
      base: workspace.base,
      how,
      branch: workspace.branch,
      ...landingMessage({ task, run: run.id, isolation: ISOLATION, verdict: job.verdict?.status ?? 'not_run', forced: false }),
    })
    crashAt('after-land-before-record')
    step.fact({ landed: { ...landed, how, forced: false } })
    await step.emit('run.landed', { ...landed, how, forced: false })
    step.summarize(`${how}: ${landed.branch} is at ${landed.commit.slice(0, 10)}`)
    return landed
  })
}
