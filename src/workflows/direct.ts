import type { Workflow } from '../engine/port.ts'
import type { Part } from '../steps/goals.ts'
import type { Kit } from '../steps/kit.ts'
import { prepareStep } from '../steps/prepare-step.ts'
import { attemptUntilGreen } from './attempts.ts'
import { finish } from './finish.ts'
import { refine } from './refine.ts'

/** One agent does everything, tests included; the same gates and the same proof decide. The cheapest way for a strong agent. */
export function createDirect(kit: Kit): Workflow {
  return async (run) => {
    const job = await prepareStep(run, kit)
    const whole: Part = { id: 'all', title: job.task.title, goal: '', files: [] }
    const done = await attemptUntilGreen(job, {
      name: 'direct',
      part: whole,
      role: job.task.role,
      depth: 'full',
      maxAttempts: job.settings.runs.max_attempts,
      review: false,
    })
    if ('end' in done) return finish(job, done.end)
    const refined = await refine(job, 'full')
    return finish(job, refined ?? done.verdict)
  }
}
