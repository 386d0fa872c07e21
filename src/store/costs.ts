import { type RawBuilder, sql } from 'kysely'
import type { RunId } from '../core/ids.ts'
import { addUsage, type Usage } from '../core/run.ts'
import type { Context } from './tx.ts'

export const COST_KEYS = ['provider', 'model', 'role', 'task', 'day', 'step', 'run'] as const
export type CostKey = (typeof COST_KEYS)[number]

export interface CostFilter {
  by: CostKey
  run?: RunId
  /** Only of these. */
  projects?: readonly string[]
  /** Epoch ms: only what was used from then on. */
  since?: number
}

export interface CostRow {
  /** '' where the events do not say it. */
  key: string
  /** Title of the task, where the key is a run or a task. */
  title: string | null
  usage: Usage
  /** US dollars: the part that is known. */
  known: number
  /** Calls and steps whose cost is not known. */
  unknown: number
  /** US dollars that steps at work have reserved and not used. */
  reserved: number
}

// Some 20 ms of reading, with hundreds of events each.
const RUNS_AT_ONCE = 20

/** What runs have used, added up by a key. Some runs at a time: others want their turn too, and the store has the events of years. */
export async function costs(ctx: Context, filter: CostFilter): Promise<CostRow[]> {
  if (filter.run !== undefined) return inOrder(await costsOf(ctx, filter, [filter.run]), filter.by)
  const sums = new Map<string, CostRow>()
  for (let last = ''; ; ) {
    const runs = await runsAfter(ctx, filter, last)
    for (const row of await costsOf(ctx, filter, runs)) sums.set(row.key, added(sums.get(row.key), row))
    last = runs.at(-1) ?? last
    if (runs.length < RUNS_AT_ONCE) return inOrder([...sums.values()], filter.by)
    await ctx.live.turn()
  }
}

function added(sum: CostRow | undefined, row: CostRow): CostRow {
  if (sum === undefined) return row
  return {
    key: row.key,
    title: [sum.title, row.title].reduce((a, b) => (a === null || (b !== null && b > a) ? b : a)),
    usage: addUsage(sum.usage, row.usage),
    known: sum.known + row.known,
    unknown: sum.unknown + row.unknown,
    reserved: sum.reserved + row.reserved,
  }
}

/** Days as they come; else what costs most is first. */
function inOrder(rows: readonly CostRow[], by: CostKey): CostRow[] {
  const byKey = (a: CostRow, b: CostRow) => (a.key < b.key ? -1 : Number(a.key > b.key))
  const tokens = ({ usage }: CostRow) => usage.inputTokens + usage.outputTokens
  return by === 'day' ? rows.toSorted(byKey) : rows.toSorted((a, b) => b.known - a.known || tokens(b) - tokens(a) || byKey(a, b))
}

async function runsAfter(ctx: Context, { projects, since }: CostFilter, last: RunId): Promise<RunId[]> {
  const own = projects === undefined ? sql`true` : sql`run in (select id from runs where project in (${sql.join(projects)}))`
  // What ended before cannot have used anything since; what is not in the table of runs any more may have.
  const recent = since === undefined ? sql`true` : sql`run not in (select id from runs where finished_at < ${since})`
  const rows = await sql<{ run: RunId }>`
    select run from events where run > ${last} and ${own} and ${recent} group by run order by run limit ${RUNS_AT_ONCE}
  `.execute(ctx.db)
  return rows.rows.map((it) => it.run)
}

/**
 * The same for some runs, by the database: the same rules as `tally.ts`, which does it for one run, event by event. A line is a reported
 * call; or what the end of a try says beyond its calls; or a try that died before its program said anything; or what is still reserved.
 */
async function costsOf(ctx: Context, filter: CostFilter, runs: readonly RunId[]): Promise<CostRow[]> {
  if (runs.length === 0) return []
  const rows = await sql<Line>`
    with
    told as (
      select run, seq, ts, type, data, data ->> '$.step' as step,
        sum(type = 'step.started') over (partition by run, data ->> '$.step' order by seq) as try
      from events
      where type in ('step.started', 'step.finished', 'step.failed', 'usage.reported', 'budget.reserved', 'agent.started', 'provider.chosen')
        and run in (${sql.join(runs)})
    ),
    tries as (
      select run, step, try,
        max(case when type = 'step.started' then ts end) as began,
        max(case when type = 'step.started' then data ->> '$.role' end) as role,
        max(case when type = 'provider.chosen' then data ->> '$.provider' when type = 'step.started' then data ->> '$.provider' end) as provider,
        max(case when type = 'provider.chosen' then data ->> '$.model' end) as model,
        max(case when type in ('step.finished', 'step.failed') then ts end) as ended,
        max(case when type in ('step.finished', 'step.failed') and data -> '$.usage' is not null then 1 else 0 end) as summed,
        ${end('inputTokens')} as input, ${end('outputTokens')} as output, ${end('cachedInputTokens')} as cached, ${end('requests')} as requests,
        sum(case when type in ('step.finished', 'step.failed') then data ->> '$.cost' end) as cost,
        ${calls('inputTokens')} as told_input, ${calls('outputTokens')} as told_output, ${calls('cachedInputTokens')} as told_cached,
        ${calls('requests')} as told_requests,
        coalesce(sum(case when type = 'usage.reported' then data ->> '$.cost' end), 0) as told_cost,
        sum(type = 'usage.reported' and data ->> '$.cost' is null) as told_unknown,
        max(type = 'agent.started' or (type = 'budget.reserved' and coalesce(data ->> '$.late', 0) = 1)) as silent,
        coalesce(max(case when type = 'budget.reserved' then data ->> '$.usd' end), 0) as reserved
      from told group by run, step, try
    ),
    lines as (
      select c.run, c.step, c.ts, c.data ->> '$.provider' as provider, c.data ->> '$.model' as model, c.data ->> '$.role' as role,
        ${call('inputTokens')} as input, ${call('outputTokens')} as output, ${call('cachedInputTokens')} as cached, ${call('requests')} as requests,
        coalesce(c.data ->> '$.cost', 0) as known,
        (c.data ->> '$.cost' is null and (t.summed = 0 or t.cost is null)) as unknown,
        0 as reserved
      from told c join tries t on t.run = c.run and t.step = c.step and t.try = c.try
      where c.type = 'usage.reported'
      union all
      select run, step, ended, provider, model, role,
        input - told_input, output - told_output, cached - told_cached, requests - told_requests,
        coalesce(cost - told_cost, 0), (cost is null and told_unknown = 0), 0
      from tries where summed = 1
      union all
      select t.run, t.step, t.began, t.provider, t.model, t.role, 0, 0, 0, 0, 0,
        (t.silent = 1 and t.told_requests = 0 and (t.ended is not null or ${atWork} is not 1)),
        case when t.ended is null and ${atWork} then max(0, t.reserved - t.told_cost) else 0 end
      from tries t left join runs r on r.id = t.run
      where t.summed = 0
    )
    select ${keyOf(filter.by)} as key, ${titleOf(filter.by)} as title,
      sum(l.input) as input, sum(l.output) as output, sum(l.cached) as cached, sum(l.requests) as requests,
      sum(l.known) as known, sum(l.unknown) as unknown, sum(l.reserved) as reserved
    from lines l left join runs r on r.id = l.run
    where l.ts >= ${filter.since ?? 0} and (l.requests <> 0 or l.input <> 0 or l.output <> 0 or l.known <> 0 or l.unknown <> 0 or l.reserved <> 0)
    group by 1
  `.execute(ctx.db)
  return rows.rows.map((it) => ({
    key: it.key ?? '',
    title: it.title,
    usage: { inputTokens: it.input, outputTokens: it.output, cachedInputTokens: it.cached, requests: it.requests },
    known: it.known,
    unknown: it.unknown,
    reserved: it.reserved,
  }))
}

interface Line {
  key: string | null
  title: string | null
  input: number
  output: number
  cached: number
  requests: number
  known: number
  unknown: number
  reserved: number
}

type Count = keyof Usage

function call(count: Count): RawBuilder<number> {
  return sql`coalesce(c.data ->> ${path(count)}, 0)`
}

function calls(count: Count): RawBuilder<number> {
  return sql`coalesce(sum(case when type = 'usage.reported' then data ->> ${path(count)} end), 0)`
}

function end(count: Count): RawBuilder<number> {
  return sql`coalesce(sum(case when type in ('step.finished', 'step.failed') then data ->> ${path(count)} end), 0)`
}

function path(count: Count): RawBuilder<string> {
  return sql.lit(`$.usage.${count}`)
}

/** Is the try one of the process that works on the run now? Earlier ones have died. */
const atWork = sql<number>`(r.state = 'running' and t.began >= r.claimed_at)`

function keyOf(by: CostKey): RawBuilder<string> {
  if (by === 'task') return sql`coalesce(r.task ->> '$.id', '')`
  if (by === 'day') return sql`date(l.ts / 1000, 'unixepoch', 'localtime')`
  return sql`coalesce(${sql.ref(`l.${by}`)}, '')`
}

function titleOf(by: CostKey): RawBuilder<string | null> {
  return by === 'run' || by === 'task' ? sql`max(r.task ->> '$.title')` : sql`null`
}
