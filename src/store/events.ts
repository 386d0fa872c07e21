import type { EventType, RunEvent } from '../core/event.ts'
import type { RunId } from '../core/ids.ts'
import { isFinished } from '../core/run.ts'
import { type Channel, createChannel, follow } from './channel.ts'
import { sizeOf, toEvent } from './rows.ts'
import { mustGet } from './runs.ts'
import { createTally, type Spent } from './tally.ts'
import type { Context } from './tx.ts'

// Small, since each reader that is late holds one.
const PAGE = 64

/** Events after a number, oldest first. Of a whole run: `allEvents`, which does not hold them all at once. */
export async function events(ctx: Context, run: RunId, after = 0, limit = 1_000_000): Promise<RunEvent[]> {
  return (await rowsAfter(ctx, run, after, limit)).map(toEvent)
}

function rowsAfter(ctx: Context, run: RunId, after: number, limit: number) {
  return ctx.db.selectFrom('events').selectAll().where('run', '=', run).where('seq', '>', after).orderBy('seq').limit(limit).execute()
}

/** Every event after a number that there is now, page by page. */
export async function* allEvents(ctx: Context, run: RunId, after = 0): AsyncGenerator<RunEvent> {
  const now = await ctx.db.selectFrom('runs').select('last_seq').where('id', '=', run).executeTakeFirst()
  let last = after
  while (last < (now?.last_seq ?? 0)) {
    await ctx.live.turn()
    const page = await events(ctx, run, last, PAGE)
    if (page.length === 0) return
    for (const event of page) {
      yield event
      last = event.seq
    }
  }
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
 * resumed with the last number. All who follow a run share one look at the store. Throws `run_not_found`.
 */
export async function* tail(ctx: Context, run: RunId, after: number, signal: AbortSignal): AsyncGenerator<RunEvent> {
  const { lastSeq } = await mustGet(ctx, run)
  yield* follow({
    channel: channelOf(ctx, run, lastSeq),
    after,
    signal,
    async catchUp(from, upTo) {
      await ctx.live.turn()
      const items = await events(ctx, run, from, Math.min(PAGE, upTo - from))
      return { items, last: items.at(-1)?.seq ?? upTo }
    },
  })
}

function channelOf(ctx: Context, run: RunId, head: number): Channel<RunEvent> {
  const { runs } = ctx.live
  const known = runs.get(run)
  if (known) return known
  const channel = createChannel<RunEvent>({
    hub: ctx.hub,
    scope: [run],
    head,
    async read(after, limit) {
      // Read before the events: what was written before the end is then among them.
      const row = await ctx.db.selectFrom('runs').select(['state', 'last_seq']).where('id', '=', run).executeTakeFirstOrThrow()
      const rows = row.last_seq > after ? await rowsAfter(ctx, run, after, limit) : []
      return { items: rows.map((it) => ({ item: toEvent(it), number: it.seq, size: sizeOf(it) })), over: isFinished(row.state) }
    },
    onEmpty: () => {
      if (runs.get(run) === channel) runs.delete(run)
    },
  })
  runs.set(run, channel)
  return channel
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
