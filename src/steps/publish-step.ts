import type { Job } from './job.ts'

/** Moves the run's own branch to its last commit, where everybody can look at it. */
export async function publishStep(job: Job): Promise<void> {
  await job.run.step({ name: 'publish', kind: 'checkpoint', input: { commit: job.checkpoint } }, async (step) => {
    const commit = await job.workspace.publish({ branch: true })
    step.fact({ commit })
    step.summarize(`${job.workspace.branch} is at ${commit.slice(0, 10)}`)
    return commit
  })
}
