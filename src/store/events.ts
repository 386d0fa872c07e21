import type { EventType, RunEvent } from '../core/event.ts'
import type { RunId } from '../core/ids.ts'
import { addCost, addUsage, type Cost, isFinished, NO_USAGE, type Usage } from '../core/run.ts'
import { toEvent } from './rows.ts'
import { mustGet } from './runs.ts'
import type { Context } from './tx.ts'

const PAGE = 500
// Another process may be the writer: its commits are seen by looking.
const POLL_MS = 200

/** Events after a number, oldest first. */
export async function events(ctx: Context, run: RunId, after = 0, limit = 1_000_000): Promise<RunEvent[]> {
  const rows = await ctx.db
    .selectFrom('events')
    .selectAll()
    .where('run', '=', run)
    .where('seq', '>', after)
    .orderBy('seq')
    .limit(limit)
    .execute()
  return rows.map(toEvent)
}

export async function eventsOfType(ctx: Context, run: RunId, types: readonly EventType[]): Promise<RunEvent[]> {
  const rows = await ctx.db
    .selectFrom('events')
    .selectAll()
    .where('run', '=', run)
    .where('type', 'in', [...types])
    .orderBy('seq')
    .execute()
  return rows.map(toEvent)
}

/**
 * Every event after a number, once and in order, as they come; ends after `run.finished`, or when the signal aborts. Can be cut anywhere and
 * resumed with the last number. Throws `run_not_found`.
 */
export async function* tail(ctx: Context, run: RunId, after: number, signal: AbortSignal): AsyncGenerator<RunEvent> {
  await mustGet(ctx, run)
  const isOver = async () =>
    isFinished((await ctx.db.selectFrom('runs').select('state').where('id', '=', run).executeTakeFirstOrThrow()).state)
  const watch = ctx.hub.watch(run)
  let last = after
  try {
    while (!signal.aborted) {
      // Read before the events: what was written before the end is then among them.
      const over = await isOver()
      const page = await events(ctx, run, last, PAGE)
      for (const event of page) {
        if (signal.aborted) return
        yield event
        last = event.seq
      }
      if (page.length > 0) continue
      if (over) return
      await watch.next(POLL_MS, signal)
    }
  } finally {
    watch.close()
  }
}

export interface Spent {
  usage: Usage
  cost: Cost
}

/** What the finished and the failed steps of a run have used. A running step is not in it. */
export async function spend(ctx: Context, run: RunId): Promise<Spent> {
  const ends = await eventsOfType(ctx, run, ['step.finished', 'step.failed'])
  return ends.map(spentBy).reduce((sum, it) => ({ usage: addUsage(sum.usage, it.usage), cost: addCost(sum.cost, it.cost) }), {
    usage: NO_USAGE,
    cost: 0,
  })
}

/** Usage and cost that the end of a step holds. */
export function spentBy(event: Pick<RunEvent, 'data'>): Spent {
  const usage = event.data['usage'] as unknown as Usage | undefined
  const cost = event.data['cost'] as Cost | undefined
  return { usage: usage ?? NO_USAGE, cost: cost === undefined ? 0 : cost }
}
