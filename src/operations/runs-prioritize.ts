import { z } from 'zod'
import { runNamed } from './context.ts'
import { operation } from './operation.ts'
import { runInput, runSummarySchema } from './shapes.ts'
import { summaryOf } from './views.ts'

export const runsPrioritize = operation({
  name: 'runs.prioritize',
  route: 'PUT /api/v1/runs/{run}/priority',
  summary: 'Changes how urgent a run is: among queued ones, higher begins first.',
  permission: 'runs:write',
  effect: 'write',
  input: z.object({ run: runInput, priority: z.int().min(-1000).max(1000) }),
  output: z.object({ run: runSummarySchema }),
  async handler(context, input) {
    const store = await context.store()
    const row = await runNamed(context, store, input.run)
    return { run: summaryOf(context, await store.prioritize(row.id, input.priority, context.actor)) }
  },
})
