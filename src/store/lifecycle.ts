import { sql } from 'kysely'
import { crashAt } from '../core/crash.ts'
import { ReeveError } from '../core/errors.ts'
import type { RunId } from '../core/ids.ts'
import type { WaitReason } from '../core/run.ts'
import { activeUntilNow, type Ending, endRun } from './ending.ts'
import type { Activation, RunRow } from './port.ts'
import { inTheWay } from './queue.ts'
import { NO_LIMITS, type QueueLimits } from './queue-limits.ts'
import { mustGet } from './runs.ts'
import { isPaused, takeWake, undecided } from './signals.ts'
import { append, type Context, fence, type Tx, write } from './tx.ts'
import { wake } from './waking.ts'

/** Which claim of which run does the writing. */
export type Claim = Pick<Activation, 'run' | 'epoch'>

/** Takes a queued run for this node. Null: somebody else was quicker, with this run or with the last place that a limit leaves. */
export async function claim(
  ctx: Context,
  run: RunId,
  node: string,
  limits: QueueLimits = NO_LIMITS,
): Promise<(Claim & { row: RunRow; activeMs: number }) | null> {
  const claimed = await write(ctx, async (tx) => {
    if ((await inTheWay(tx, run, limits)) !== null) return undefined
    const row = await tx.t
      .updateTable('runs')
      .set((it) => ({
        state: 'running',
        reason: null,
        message: null,
        held: null,
        held_until: 0,
        node,
        epoch: it('epoch', '+', 1),
        started_at: it.fn.coalesce('started_at', tx.now()),
        claimed_at: tx.now(),
      }))
      .where('id', '=', run)
      .where('state', '=', 'queued')
      .where('run_at', '<=', tx.now())
      .returning(['epoch', 'active_ms'])
      .executeTakeFirst()
    if (row) await append(tx, run, row.epoch, 'run.started', { node, activation: row.epoch })
    return row
  })
  if (!claimed) return null
  crashAt('after-claim')
  return { run, epoch: claimed.epoch, activeMs: claimed.active_ms, row: await mustGet(ctx, run) }
}

/** Writes the end of a run that is still ours and running. Throws `fenced` when it is not, or was cancelled. */
export async function finish(ctx: Context, by: Claim, ending: Ending): Promise<void> {
  crashAt('before-finish')
  await write(ctx, async (tx) => {
    await mustRun(tx, by)
    await endRun(tx, by.run, ending)
  })
  crashAt('after-finish')
}

async function mustRun(tx: Tx, by: Claim): Promise<void> {
  const state = await fence(tx, by.run, by.epoch)
  if (state !== 'running') throw new ReeveError('fenced', { run: by.run })
}

export interface Parking {
  reason: WaitReason
  message: string
  /** Epoch ms to wake at by itself. */
  until: number | null
  /** The approval that is waited for. */
  what?: string
}

/**
 * Lets go of a run until something wakes it. False: that something has come in the meantime, so the run has to go on.
 * The row is locked before the signals are read; the other way round loses wakes.
 */
export async function park(ctx: Context, by: Claim, wait: Parking): Promise<boolean> {
  crashAt('before-park')
  const parked = await write(ctx, async (tx) => {
    await mustRun(tx, by)
    if (await overtaken(tx, by.run, wait)) return false
    const until = wait.until === null ? {} : { until: wait.until }
    await append(tx, by.run, by.epoch, 'run.waiting', { reason: wait.reason, message: wait.message, ...until })
    await tx.t
      .updateTable('runs')
      .set({ state: 'waiting', reason: wait.reason, message: tx.redact(wait.message), wake_at: wait.until, ...released(tx) })
      .where('id', '=', by.run)
      .execute()
    return true
  })
  if (parked) crashAt('after-park')
  return parked
}

function released(tx: Tx) {
  return { node: null, active_ms: activeUntilNow(tx), claimed_at: null, crashes: 0 }
}

async function overtaken(tx: Tx, run: RunId, wait: Parking): Promise<boolean> {
  if (wait.reason === 'approval') return (await undecided(tx, run, wait.what ?? '')) !== null
  if (wait.reason === 'paused') return !(await isPaused(tx.t, run))
  return takeWake(tx, run)
}

/** Gives a running run back to the queue: the next one goes on after its last finished step. No crash is counted. */
export async function handBack(ctx: Context, by: Claim, message: string): Promise<void> {
  await write(ctx, async (tx) => {
    await mustRun(tx, by)
    await append(tx, by.run, by.epoch, 'run.detached', { message })
    await tx.t
      .updateTable('runs')
      .set((it) => ({ state: 'queued', ticket: it('ticket', '+', 1), ...released(tx) }))
      .where('id', '=', by.run)
      .execute()
  })
}

/** Cancels a run in whatever state. Again: nothing happens. Throws `wrong_state` when it has ended otherwise. */
export async function cancel(ctx: Context, run: RunId, actor: string): Promise<RunRow> {
  await write(ctx, async (tx) => {
    const row = await tx.t.selectFrom('runs').select('state').where('id', '=', run).executeTakeFirst()
    if (!row) throw new ReeveError('run_not_found', { run })
    if (row.state === 'cancelled') return
    if (row.state === 'succeeded' || row.state === 'failed')
      throw new ReeveError('wrong_state', { run, status: row.state, action: 'stop', allowed: 'queued, running or waiting' })
    await endRun(tx, run, { status: 'cancelled', message: `Stopped by ${actor}.` })
  })
  return mustGet(ctx, run)
}

/** Parked runs whose time has come, among those that `may` be woken here. */
export async function wakeDue(ctx: Context, may: (run: RunId) => boolean): Promise<void> {
  const due = await ctx.db.selectFrom('runs').select('id').where('state', '=', 'waiting').where('wake_at', '<=', ctx.now()).execute()
  for (const { id } of due.filter((it) => may(it.id))) {
    await write(ctx, async (tx) => {
      // Read again under the lock: it may have been woken and parked for something else.
      const row = await tx.t.selectFrom('runs').select('id').where('id', '=', id).where('wake_at', '<=', tx.now()).executeTakeFirst()
      if (row) await wake(tx, id, 'time', ['quota', 'budget', 'approval', 'paused'])
    })
  }
}

/** Milliseconds until a parked run wakes by itself or a queued one may begin; null: none does. What is due already is not meant. */
export async function nextDue(ctx: Context): Promise<number | null> {
  const first = (state: RunRow['state'], column: 'wake_at' | 'run_at' | 'held_until') =>
    ctx.db
      .selectFrom('runs')
      .select(sql<number | null>`min(${sql.ref(column)}) - ${ctx.now()}`.as('ms'))
      .where('state', '=', state)
      .where(column, '>', ctx.now())
      .executeTakeFirst()
  const due = [await first('waiting', 'wake_at'), await first('queued', 'run_at'), await first('queued', 'held_until')].flatMap(
    (it) => it?.ms ?? [],
  )
  return due.length === 0 ? null : Math.max(1, Math.min(...due))
}

/** State and epoch of runs that are worked on here, to notice a cancel or a lost claim. */
export async function statesOf(ctx: Context, runs: readonly RunId[]): Promise<Map<RunId, { state: RunRow['state']; epoch: number }>> {
  if (runs.length === 0) return new Map()
  const rows = await ctx.db
    .selectFrom('runs')
    .select(['id', 'state', 'epoch'])
    .where('id', 'in', [...runs])
    .execute()
  return new Map(rows.map((it) => [it.id, { state: it.state, epoch: it.epoch }]))
}

/** When a parked run wakes by itself, null when it does not. */
export async function wakesAt(ctx: Context, run: RunId): Promise<number | null> {
  const row = await ctx.db.selectFrom('runs').select('wake_at').where('id', '=', run).executeTakeFirst()
  return row?.wake_at ?? null
}
