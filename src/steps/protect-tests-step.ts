import { isTest, type Job } from './job.ts'

/** From here on the test files changed since the base belong to the spec author: others may not change them, and gates look at it. */
export async function protectTestsStep(job: Job, ask: { name: string; commit: string }): Promise<void> {
  const files = await job.run.step({ name: ask.name, kind: 'checkpoint', input: { commit: ask.commit } }, async (step) => {
    const changed = await job.workspace.changes()
    const tests = changed.filter((it) => it.status !== 'deleted' && isTest(job, it.path)).map((it) => it.path)
    step.summarize(`${tests.length} test ${tests.length === 1 ? 'file' : 'files'} protected`)
    return tests
  })
  job.specs = { files, commit: ask.commit }
}
