import type { EventType, RunEvent } from '../core/event.ts'
import type { RunId } from '../core/ids.ts'
import { isFinished } from '../core/run.ts'
import { toEvent } from './rows.ts'
import { mustGet } from './runs.ts'
import { createTally, type Spent } from './tally.ts'
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

/** Events that say what a run has used and reserved, and those that say which of its steps are at work. */
export const SPENDING: readonly EventType[] = [
  'step.started',
  'step.finished',
  'step.failed',
  'agent.started',
  'usage.reported',
  'budget.reserved',
  'run.interrupted',
  'run.detached',
  'run.finished',
]

/** What the steps of a run have used, also those that never ended, as far as their calls were reported. */
export async function spend(ctx: Context, run: RunId): Promise<Spent> {
  const tally = createTally()
  for (const event of await eventsOfType(ctx, run, SPENDING)) tally.add(event)
  return tally.spent()
}
