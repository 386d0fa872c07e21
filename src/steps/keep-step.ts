import type { Verdict } from '../core/verdict.ts'
import type { Job } from './job.ts'

/**
 * Keeps a rejected attempt under `refs/reeve/attempts/<run>/<n>`, so that nothing an agent wrote is ever lost; with `restoreTo` the files then
 * go back to that commit, and the run's verdict to `verdict`, the one about that commit.
 */
export async function keepStep(
  job: Job,
  ask: { name: string; attempt: number; summary: string; restoreTo?: string; verdict?: Verdict | null },
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
      if (ask.restoreTo === undefined) return null
      await workspace.restore(ask.restoreTo)
      if (ask.verdict !== undefined) step.fact({ verdict: ask.verdict })
      return ask.restoreTo
    },
  )
  if (typeof commit !== 'string') return
  job.checkpoint = commit
  if (ask.verdict === undefined) return
  job.verdict = ask.verdict
  job.judged = commit
}
