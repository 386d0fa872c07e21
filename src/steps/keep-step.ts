import { isTest, type Job } from './job.ts'

/**
 * Keeps a rejected attempt under `refs/reeve/attempts/<run>/<n>`, so that nothing an agent wrote is ever lost; with `restoreTo` the files then
 * go back to that commit, and the run's verdict to `back`, the one about that commit. Without it the files stay for the next attempt, but tests
 * that were not the agent's to change are put back: it could not do so itself.
 */
export async function keepStep(
  job: Job,
  ask: { name: string; attempt: number; summary: string; restoreTo?: string; back?: Pick<Job, 'verdict' | 'judged'> },
): Promise<void> {
  const { run, workspace } = job
  const commit = await run.step(
    { name: ask.name, kind: 'checkpoint', input: { to: ask.restoreTo ?? null }, attempt: ask.attempt },
    async (step) => {
      if (!step.repeated || ask.restoreTo === undefined) {
        const kept = await workspace.keepAttempt()
        await step.emit('attempt.kept', { ref: kept.ref, commit: kept.commit, number: kept.number })
      }
      await step.emit('attempt.rejected', { part: ask.name, attempt: ask.attempt, summary: ask.summary })
      step.summarize(ask.summary)
      if (ask.restoreTo === undefined) return putTestsBack(job)
      await workspace.restore(ask.restoreTo)
      if (ask.back !== undefined) step.fact({ verdict: ask.back.verdict, commit: ask.restoreTo })
      return ask.restoreTo
    },
  )
  if (typeof commit !== 'string') return
  job.checkpoint = commit
  if (ask.back === undefined) return
  job.verdict = ask.back.verdict
  job.judged = ask.back.judged
}

/** Tests as the spec author left them, whatever a shell did to them. The commit that says so, or null when nothing had changed. */
async function putTestsBack(job: Job): Promise<string | null> {
  const { workspace, specs, run } = job
  if (specs === null) return null
  const changed = (await workspace.changes(specs.commit)).map((it) => it.path).filter((it) => isTest(job, it))
  if (changed.length === 0) return null
  await workspace.putBack(specs.commit, changed)
  const { commit } = await workspace.checkpoint(`test: put the tests back\n\nReeve-Run: ${run.id}\nReeve-Step: put-back`)
  return commit
}
