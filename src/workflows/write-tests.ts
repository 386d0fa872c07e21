import { needsRedProof } from '../core/task.ts'
import type { Verdict } from '../core/verdict.ts'
import type { RunEnd } from '../engine/port.ts'
import { agentStep } from '../steps/agent-step.ts'
import { gateStep } from '../steps/gate-step.ts'
import { type Part, testsGoal } from '../steps/goals.ts'
import type { Job } from '../steps/job.ts'
import { protectTestsStep } from '../steps/protect-tests-step.ts'

// A spec author who twice writes tests that are green before the work has not understood the task.
const MAX_TRIES = 2

/** The spec author's tests for a part: they must be red now, and nobody else may change them from here on. Skipped for kinds that need none. */
export async function writeTests(job: Job, part: Part, name: string): Promise<RunEnd | null> {
  if (!needsRedProof(job.task.kind)) return null
  let note = ''
  for (let number = 1; number <= MAX_TRIES; number++) {
    const step = number === 1 ? `${name}/tests` : `${name}/tests-${number}`
    const instructions = await job.run.messages(`${step}/messages`)
    const asked = note
    const work = await agentStep(job, {
      name: step,
      role: 'spec-author',
      attempt: number,
      goal: () => testsGoal(job, part, asked, instructions),
      message: `test: ${part.title}`,
    })
    if (!work.changed) {
      note = 'No test file was written or changed.'
      continue
    }
    const verdict = await gateStep(job, { name: `${step}/red`, depth: 'quick', attempt: number, wanted: 'red' })
    note = whyNotRed(verdict)
    if (note === '') {
      await protectTestsStep(job, { name: `${step}/protect`, commit: work.commit })
      return null
    }
  }
  return { status: 'failed', reason: 'gates', message: `The tests for "${part.title}" are no proof: ${note}` }
}

/** '' when the tests are red, or when nothing here can tell; else what to say to the author. */
function whyNotRed(verdict: Verdict): string {
  const judges = verdict.gates.filter((it) => it.tests !== null || it.name === 'tests')
  const ran = judges.filter((it) => it.status !== 'not_run')
  if (ran.length === 0) return ''
  if (ran.some((it) => it.status === 'failed')) return ''
  return 'All tests pass before the work has begun, so they prove nothing. Write tests that fail until the part is done.'
}
