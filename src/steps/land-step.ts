import { crashAt } from '../core/crash.ts'
import { ReeveError } from '../core/errors.ts'
import { levelName } from '../core/isolation.ts'
import { redactAll } from '../core/redact.ts'
import { type Landed, type Landing, land } from '../workspace/land.ts'
import type { Job } from './job.ts'
import { landingMessage } from './landing-message.ts'
import { recordedLevel } from './minimum.ts'

/** Lands a green run as configured, or says what stands in the way. Idempotent: landing the same run twice makes one commit. */
export async function landStep(job: Job, name: string, how: 'branch' | 'merge' | 'squash'): Promise<string> {
  const { run, workspace, task } = job
  const done = await run.step({ name, kind: 'land', input: { how, commit: job.checkpoint } }, async (step) => {
    const landed = await orProblem({
      project: job.project,
      run: run.id,
      commit: job.checkpoint,
      base: workspace.base,
      how,
      branch: workspace.branch,
      ...landingMessage({
        task: redactAll(task, job.kit.redact),
        run: run.id,
        isolation: levelName(recordedLevel(run.row, job.keeping.sandbox.report.level)),
        verdict: job.verdict?.status ?? 'not_run',
        forced: false,
      }),
    })
    if ('problem' in landed) {
      step.summarize(landed.problem)
      return { status: 'failed', problem: landed.problem }
    }
    crashAt('after-land-before-record')
    step.fact({ landed: { ...landed, how, forced: false } })
    await step.emit('run.landed', { ...landed, how, forced: false })
    step.summarize(`${how}: ${landed.branch} is at ${landed.commit.slice(0, 10)}`)
    return { status: 'succeeded', problem: '' }
  })
  return done.problem
}

/** A conflict, or changes of the user's own in the way, are theirs to clear away: the run's work is as good as before. */
async function orProblem(landing: Landing): Promise<Landed | { problem: string }> {
  try {
    return await land(landing)
  } catch (error) {
    if (error instanceof ReeveError) return { problem: error.message }
    throw error
  }
}
