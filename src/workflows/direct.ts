import type { Workflow } from '../engine/port.ts'
import type { Part } from '../steps/goals.ts'
import type { Kit } from '../steps/kit.ts'
import { attemptUntilGreen } from './attempts.ts'
import { refine } from './refine.ts'
import { workflow } from './workflow.ts'

/** One agent does everything, tests included; the same gates and the same proof decide. The cheapest way for a strong agent. */
export function createDirect(kit: Kit): Workflow {
  return workflow(kit, async (job) => {
    const whole: Part = { id: 'all', title: job.task.title, goal: '', files: [] }
    const done = await attemptUntilGreen(job, {
      name: 'direct',
      part: whole,
      role: job.task.role,
      depth: 'full',
      maxAttempts: job.settings.runs.max_attempts,
      review: false,
    })
    if ('end' in done) return done.end
    return (await refine(job, 'full')) ?? done.verdict
  })
}
