import { sql } from 'kysely'
import { type FeedEvent, isOfTypes } from '../core/event.ts'
import type { RunId } from '../core/ids.ts'
import { type Channel, createChannel, follow } from './channel.ts'
import { position } from './position.ts'
import { sizeOf, toEvent } from './rows.ts'
import type { Context } from './tx.ts'

export interface FeedFilter {
  /** Roots of projects; absent: all. */
  projects?: readonly string[]
  runs?: readonly RunId[]
  /** Types of events, `run.*` for all that begin so. */
  types?: readonly string[]
}

export interface FeedOptions extends FeedFilter {
  /** Position of the last event that is known; 0: from the first one on. */
  after: number
  signal: AbortSignal
  /** False: ends with the last event that there is now. */
  follow?: boolean
}

// Rows that are looked at in one go, wanted or not: a millisecond or two.
const WINDOW = 256

/**
 * Events of all runs after a position, each once, in the order of their commits. Can be cut anywhere and resumed with the last position. All
 * who follow share one look at the store.
 */
export async function* feed(ctx: Context, { after, signal, follow: stay = true, ...filter }: FeedOptions): AsyncGenerator<FeedEvent> {
  const wants = wanting(filter)
  const head = await lastPosition(ctx)
  const catchUp = (from: number, upTo: number) => look(ctx, from, upTo, wants)
  if (stay) {
    yield* follow<FeedEvent>({ channel: channelOf(ctx, head), after, signal, catchUp, wants })
    return
  }
  for (let last = after; last < head && !signal.aborted; ) {
    const page = await catchUp(last, head)
    yield* page.items
    last = page.last
  }
}

/** Position of the last event of all; 0 when there is none. */
export async function lastPosition(ctx: Context): Promise<number> {
  const row = await ctx.db.selectFrom('events').select(sql<number | null>`max(${position})`.as('last')).executeTakeFirst()
  return row?.last ?? 0
}

type Wants = (event: { run: string; type: string; project: string }) => boolean

function wanting({ projects, runs, types }: FeedFilter): Wants {
  const [ofProjects, ofRuns] = [projects && new Set(projects), runs && new Set(runs)]
  return (event) =>
    (ofProjects === undefined || ofProjects.has(event.project)) &&
    (ofRuns === undefined || ofRuns.has(event.run)) &&
    (types === undefined || isOfTypes(event.type, types))
}

/** Rows with positions in (after, upTo], as the database has them. */
function rowsBetween(ctx: Context, after: number, upTo: number, limit: number) {
  return ctx.db
    .selectFrom('events')
    .leftJoin('runs', 'runs.id', 'events.run')
    .selectAll('events')
    .select((it) => [position.as('position'), it.fn.coalesce('runs.project', sql.lit('')).as('project')])
    .where(position, '>', after)
    .where(position, '<=', upTo)
    .orderBy(position)
    .limit(limit)
    .execute()
}

type FeedRow = Awaited<ReturnType<typeof rowsBetween>>[number]

function toFeedEvent(row: FeedRow): FeedEvent {
  return { ...toEvent(row), position: row.position, project: row.project }
}

async function look(ctx: Context, after: number, upTo: number, wants: Wants): Promise<{ items: FeedEvent[]; last: number }> {
  await ctx.live.turn()
  const rows = await rowsBetween(ctx, after, upTo, WINDOW)
  const items = rows.filter(wants).map(toFeedEvent)
  return { items, last: rows.length < WINDOW ? upTo : (rows.at(-1)?.position ?? upTo) }
}

function channelOf(ctx: Context, head: number): Channel<FeedEvent> {
  const { live } = ctx
  if (live.all) return live.all
  const channel = createChannel<FeedEvent>({
    hub: ctx.hub,
    scope: 'events',
    head,
    async read(after, limit) {
      const rows = await rowsBetween(ctx, after, Number.MAX_SAFE_INTEGER, limit)
      return { items: rows.map((it) => ({ item: toFeedEvent(it), number: it.position, size: sizeOf(it) })), over: false }
    },
    onEmpty: () => {
      if (live.all === channel) live.all = null
    },
  })
  live.all = channel
  return channel
}
