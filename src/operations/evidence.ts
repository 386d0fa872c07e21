import { z } from 'zod'
import { secretValues } from '../config/secrets.ts'
import { levelName } from '../core/isolation.ts'
import { verdictSchema } from '../core/verdict.ts'
import { optionsOf } from '../steps/options.ts'
import { runNamed } from './context.ts'
import { checkRun } from './isolation.ts'
import { operation } from './operation.ts'
import { runInput } from './shapes.ts'
import { choices, privilegedChoice } from './submit-checks.ts'

export const evidenceVerify = operation({
  name: 'evidence.verify',
  route: 'POST /api/v1/runs/{run}/verify',
  summary: 'Does the checks of a finished run again in a clean clone and compares: match or not.',
  permission: 'runs:write',
  // It changes nothing, but it runs the project's programs.
  effect: 'write',
  privileged: privilegedChoice,
  input: z.object({ run: runInput, accept_isolation: choices.accept_isolation }),
  output: z.object({
    run: z.string(),
    /** Level the run's programs were held at, and the level of this measurement. */
    isolation: z.object({ recorded: z.string(), measured: z.string() }),
    match: z.boolean(),
    differences: z.array(z.string()),
    commit: z.string(),
    recorded: verdictSchema.nullable(),
    measured: verdictSchema.nullable(),
  }),
  async handler(context, input, signal) {
    const { verifyRun } = await import('../steps/verify.ts')
    const store = await context.store()
    const row = await runNamed(context, store, input.run)
    context.secrets.learn(secretValues(optionsOf(row).settings, context.env))
    const { level } = await checkRun(context, row, input.accept_isolation)
    const written = (await store.eventsOfType(row.id, ['evidence.written'])).at(-1)
    const hash = written?.data['hash']
    const verified = await verifyRun(context.kit, {
      row,
      recordedHash: typeof hash === 'string' ? hash : null,
      signal,
      emit: () => undefined,
    })
    return { run: row.id, isolation: { recorded: row.facts.isolation ?? 'unknown', measured: levelName(level) }, ...verified }
  },
})
