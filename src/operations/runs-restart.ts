import { z } from 'zod'
import { isFinished } from '../core/run.ts'
import { runNamed } from './context.ts'
import { operation } from './operation.ts'
import { submitAll, submitted } from './runs-submit.ts'
import { runInput } from './shapes.ts'

export const runsRestart = operation({
  name: 'runs.restart',
  route: 'POST /api/v1/runs/{run}/restart',
  summary: 'Stops a run, if it has not ended, and queues a fresh one of its task. Again: the same fresh run.',
  permission: 'runs:write',
  effect: 'destructive',
  input: z.object({ run: runInput }),
  output: submitted,
  async handler(context, input) {
    const store = await context.store()
    const row = await runNamed(context, store, input.run)
    const choices = { workflow: row.workflow }
    // Everything that can be wrong with the fresh one is known before the old one is stopped.
    const fresh = await submitAll(context, {
      project: row.project,
      tasks: [row.task],
      choices,
      retryOf: row.id,
      key: `restart/${row.id}`,
    })
    if (!isFinished((await store.getRun(row.id))?.state ?? 'cancelled')) await store.cancel(row.id, context.actor)
    return fresh
  },
})
