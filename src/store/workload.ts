import type { Context } from './tx.ts'

/** How many runs are at work, and how many are in the queue. */
export interface Workload {
  running: number
  queued: number
}

export async function workload(ctx: Context): Promise<Workload> {
  const count = ctx.db.fn.countAll<number>()
  const row = await ctx.db
    .selectFrom('runs')
    .select([count.filterWhere('state', '=', 'running').as('running'), count.filterWhere('state', '=', 'queued').as('queued')])
    .where('state', 'in', ['running', 'queued'])
    .executeTakeFirstOrThrow()
  return { running: row.running, queued: row.queued }
}
