import { z } from 'zod'
import { redactAll } from '../core/redact.ts'
import { RUN_STATUSES } from '../core/run.ts'
import { runNamed } from './context.ts'
import { diagnose } from './diagnosis/diagnose.ts'
import { CAUSES } from './diagnosis/finding.ts'
import { gather } from './diagnosis/gather.ts'
import { operation } from './operation.ts'
import { runInput } from './shapes.ts'

export const runsDiagnose = operation({
  name: 'runs.diagnose',
  route: 'GET /api/v1/runs/{run}/diagnosis',
  summary: 'Tells why a run is not further or how it ended, with evidence, and what to do next.',
  permission: 'runs:read',
  effect: 'read',
  input: z.object({ run: runInput }),
  output: z.object({
    run: z.string(),
    status: z.enum(RUN_STATUSES),
    reason: z.string().nullable(),
    headline: z.string().describe('The one sentence to read.'),
    findings: z.array(
      z.object({
        cause: z.enum(CAUSES),
        text: z.string(),
        events: z.array(z.int()).describe('Numbers of the events that show it.'),
      }),
    ),
    dependencies: z.array(
      z.object({
        run: z.string(),
        task: z.string(),
        status: z.enum(RUN_STATUSES),
        reason: z.string().nullable(),
        depth: z.int().describe('1: the run itself waits for it.'),
      }),
    ),
    next: z.array(z.object({ command: z.string(), why: z.string() })),
  }),
  async handler(context, input) {
    const store = await context.store()
    const row = await runNamed(context, store, input.run)
    const facts = await gather(context, store, row)
    const { id, state, reason } = row
    return redactAll({ run: id, status: state, reason, ...diagnose(facts), dependencies: [...facts.dependencies] }, context.secrets.redact)
  },
})
