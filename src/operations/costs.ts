import { z } from 'zod'
import { ReeveError } from '../core/errors.ts'
import { addUsage, NO_USAGE } from '../core/run.ts'
import { COST_KEYS, type CostKey, type CostRow } from '../store/costs.ts'
import { type Context, projectOf, runNamed } from './context.ts'
import { operation } from './operation.ts'
import { projectInput, runInput } from './shapes.ts'

const DAY_MS = 86_400_000
const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: DAY_MS, w: 7 * DAY_MS }

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
      ...(run === null ? await ofProject(context, input) : { run: run.id }),
      ...(since === null ? {} : { since }),
    })
    const titled = rows.map((it) => ({ ...it, title: it.title === null ? null : context.secrets.redact(it.title) }))
    return { by, run: run?.id ?? null, since, rows: titled, total: totalOf(rows) }
  },
})

async function ofProject(context: Context, input: { all: boolean; project?: string | undefined }): Promise<{ project?: string }> {
  return input.all ? {} : { project: (await projectOf(context, input.project)).root }
}

/** Epoch ms of what a person means by "since". Throws `invalid_input`. */
function sinceOf(text: string, now: number): number {
  const [, count, unit] = /^(\d{1,6})([mhdw])$/.exec(text) ?? []
  if (count !== undefined && unit !== undefined) return now - Number(count) * (UNITS[unit] ?? 0)
  // A day begins where the user is.
  const day = /^\d{4}-\d\d-\d\d$/.test(text) ? new Date(`${text}T00:00:00`).getTime() : Number.NaN
  if (!Number.isNaN(day)) return day
  const allowed = 'minutes, hours, days or weeks such as 30m, 24h, 7d and 2w, or a day such as 2026-11-01'
  throw new ReeveError('invalid_input', { problem: `--since is "${text}"; allowed: ${allowed}` })
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
