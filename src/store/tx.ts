import type { DatabaseSync } from 'node:sqlite'
import type { RawBuilder } from 'kysely'
import type { Clock } from '../core/clock.ts'
import { ReeveError } from '../core/errors.ts'
import type { EventType, FeedEvent, RunEvent } from '../core/event.ts'
import type { RunId } from '../core/ids.ts'
import { type Redact, redactAll } from '../core/redact.ts'
import type { RunStatus } from '../core/run.ts'
import type { Channel } from './channel.ts'
import type { Hub } from './hub.ts'
import { isState } from './others.ts'
import type { Db, DbTransaction } from './schema.ts'
import type { Turn } from './turns.ts'

/** What every function of this room works with. */
export interface Context {
  folder: string
  db: Db
  database: DatabaseSync
  hub: Hub
  live: Live
  clock: Clock
  /** The database's time in epoch ms, as an expression: machines that share a store do not share a clock. */
  now: () => RawBuilder<number>
  /** Takes secrets out of what is told: events and the last words of runs. Nothing is taken out when absent. */
  redact?: Redact
}

/** What is followed now. */
export interface Live {
  runs: Map<RunId, Channel<RunEvent>>
  all: Channel<FeedEvent> | null
  /** To be waited for before each page of many. */
  turn: Turn
}

/** A transaction at work. Never wait for anything but its own statements in it: it holds the store's only write lock. */
export interface Tx {
  t: DbTransaction
  now: () => RawBuilder<number>
  redact: Redact
  /** Watchers are told after the commit: those of the run, and unless `state` is false those of all runs. Null: something that runs wait for. */
  touch(run: RunId | null, state?: boolean): void
}

/** Runs `fn` in one transaction and then wakes those who watch what it touched. */
export async function write<T>(ctx: Context, fn: (tx: Tx) => Promise<T>): Promise<T> {
  const touched = new Map<RunId | null, boolean>()
  const touch = (run: RunId | null, state = true) => void touched.set(run, state || touched.get(run) === true)
  const result = await ctx.db.transaction().execute((t) => fn({ t, now: ctx.now, redact: ctx.redact ?? ((text) => text), touch }))
  for (const [run, state] of touched) ctx.hub.changed({ run, state })
  return result
}

/**
 * Locks the run's row and checks that its epoch is still ours. Returns its state: a cancelled run still lets its worker record cost.
 * Throws `fenced`.
 */
export async function fence(tx: Tx, run: RunId, epoch: number): Promise<RunStatus> {
  const row = await tx.t
    .updateTable('runs')
    .set({ epoch })
    .where('id', '=', run)
    .where('epoch', '=', epoch)
    .returning('state')
    .executeTakeFirst()
  if (!row) throw new ReeveError('fenced', { run })
  return row.state
}

export interface Appended {
  seq: number
  state: RunStatus
}

/**
 * The next event of a run: fence, row lock and number in one statement. `epoch` null is for those outside (signal, cancel): not fenced.
 * Throws `fenced`, or `run_not_found` when not fenced.
 */
export async function append(tx: Tx, run: RunId, epoch: number | null, type: EventType, data: RunEvent['data']): Promise<Appended> {
  let update = tx.t.updateTable('runs').set((it) => ({ last_seq: it('last_seq', '+', 1) }))
  update = update.where('id', '=', run)
  if (epoch !== null) update = update.where('epoch', '=', epoch)
  const row = await update.returning(['last_seq', 'state']).executeTakeFirst()
  if (!row) throw new ReeveError(epoch === null ? 'run_not_found' : 'fenced', { run })

  await tx.t
    .insertInto('events')
    .values({ run, seq: row.last_seq, ts: tx.now(), type, data: JSON.stringify(redactAll(data, tx.redact)) })
    .execute()
  tx.touch(run, isState(type))
  return { seq: row.last_seq, state: row.state }
}
