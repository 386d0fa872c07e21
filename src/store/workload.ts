import type { Context } from './tx.ts'

/** How many runs are at work, and how many will be without anybody's doing. */
export interface Workload {
  running: number
  queued: number
  /** Parked until a time: they go on by themselves. */
  waking: number
}

export async function workload(ctx: Context): Promise<Workload> {
  const count = ctx.db.fn.countAll<number>()
  const row = await ctx.db
    .selectFrom('runs')
    .select([
      count.filterWhere('state', '=', 'running').as('running'),
      count.filterWhere('state', '=', 'queued').as('queued'),
      count.filterWhere((it) => it.and([it('state', '=', 'waiting'), it('wake_at', 'is not', null)])).as('waking'),
    ])
    .where('state', 'in', ['running', 'queued', 'waiting'])
    .executeTakeFirstOrThrow()
  return { running: Number(row.running), queued: Number(row.queued), waking: Number(row.waking) }
}
