import { z } from 'zod'
import { addUsage, NO_USAGE } from '../core/run.ts'
import { COST_KEYS, type CostKey, type CostRow } from '../store/costs.ts'
import { type Context, projectsOf, runNamed } from './context.ts'
import { sinceOf } from './durations.ts'
import { operation } from './operation.ts'
import { projectInput, runInput } from './shapes.ts'

const sumsSchema = z.object({
  usage: z.object({ inputTokens: z.number(), outputTokens: z.number(), cachedInputTokens: z.number(), requests: z.number() }),
  known: z.number().describe('US dollars, as far as prices are known.'),
  unknown: z.int().describe('Calls and steps whose cost is not known.'),
  reserved: z.number().describe('US dollars that steps at work have reserved and not used.'),
})
export type Sums = z.infer<typeof sumsSchema>

const reportSchema = z.object({
  by: z.enum(COST_KEYS),
  run: z.string().nullable(),
  since: z.number().nullable().describe('Epoch ms.'),
  rows: z.array(sumsSchema.extend({ key: z.string(), title: z.string().nullable() })),
  total: sumsSchema,
})
export type Report = z.infer<typeof reportSchema>

export const costsReport = operation({
  name: 'costs.report',
  route: 'GET /api/v1/costs',
  summary: 'Adds up what runs have used: calls, tokens, money.',
  permission: 'runs:read',
  effect: 'read',
  input: z.object({
    project: projectInput,
    all: z.boolean().default(false).describe('Of all projects.'),
    run: runInput.optional().describe('Only of this run.'),
    since: z.string().optional().describe('Only what was used since then: "24h", "7d", "2w", or a day such as "2026-11-01".'),
    by: z.enum(COST_KEYS).optional().describe('What is added up together; absent: step for a run, else model.'),
  }),
  output: reportSchema,
  async handler(context, input) {
    const store = await context.store()
    const since = input.since === undefined ? null : sinceOf(input.since, context.clock.now())
    const run = input.run === undefined ? null : await runNamed(context, store, input.run)
    const by: CostKey = input.by ?? (run === null ? 'model' : 'step')
    const rows = await store.costs({
      by,
      ...(run === null ? await ofProjects(context, input) : { run: run.id }),
      ...(since === null ? {} : { since }),
    })
    const titled = rows.map((it) => ({ ...it, title: it.title === null ? null : context.secrets.redact(it.title) }))
    return { by, run: run?.id ?? null, since, rows: titled, total: totalOf(rows) }
  },
})

async function ofProjects(
  context: Context,
  input: { all: boolean; project?: string | undefined },
): Promise<{ projects?: readonly string[] }> {
  const projects = await projectsOf(context, input)
  return projects === null ? {} : { projects }
}

function totalOf(rows: readonly CostRow[]): Sums {
  return {
    usage: rows.map((it) => it.usage).reduce(addUsage, NO_USAGE),
    known: sum(rows, 'known'),
    unknown: sum(rows, 'unknown'),
    reserved: sum(rows, 'reserved'),
  }
}

function sum(rows: readonly CostRow[], key: 'known' | 'unknown' | 'reserved'): number {
  return rows.reduce((total, it) => total + it[key], 0)
}
