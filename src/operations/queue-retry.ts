import { z } from 'zod'
import { projectOf } from './context.ts'
import { sinceOf } from './durations.ts'
import { operation } from './operation.ts'
import { submitAll, submitted, withChoices } from './runs-submit.ts'
import { projectInput } from './shapes.ts'
import { choices, privilegedChoice } from './submit-checks.ts'
import { inDependencyOrder } from './tasks.ts'

export const queueRetry = operation({
  name: 'queue.retry',
  route: 'POST /api/v1/queue/retry',
  summary: 'Queues a fresh run of each task of a project whose last run has failed. Again: nothing more, unless one fails again.',
  permission: 'runs:write',
  effect: 'write',
  privileged: privilegedChoice,
  input: z.object({
    project: projectInput,
    since: z.string().optional().describe('Only those that failed since: 30m, 24h, 7d, 2w, or a day such as 2026-11-01.'),
    ...choices,
  }),
  output: submitted,
  async handler(context, input) {
    const project = await projectOf(context, input.project)
    const store = await context.store()
    const since = input.since === undefined ? 0 : sinceOf(input.since, context.clock.now())
    const failed = new Map<string, string>()
    const tasks = []
    for (const id of await store.failedForGood(project.root, since)) {
      const row = await store.getRun(id)
      if (row === null) continue
      failed.set(row.task.id, id)
      tasks.push(withChoices(row.task, { ...input, workflow: input.workflow ?? row.workflow }))
    }
    if (tasks.length === 0) return { runs: [], warnings: [] }
    return submitAll(context, {
      project: project.root,
      tasks: inDependencyOrder(tasks),
      choices: input,
      each: ({ id }) => {
        const run = failed.get(id) ?? id
        // Two who ask at the same time get the same runs.
        return { retryOf: run, clientKey: `retry/${run}` }
      },
    })
  },
})
