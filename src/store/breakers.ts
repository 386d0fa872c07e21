import { sql } from 'kysely'
import { type Context, type Tx, write } from './tx.ts'

/** What is known about a provider that has failed lately. None of it: nothing is. Times are ms from now. */
export interface BreakerState {
  key: string
  /** In a row. */
  failures: number
  /** How long it is left alone still; 0 or less: the time is over. Null: it has not been closed to runs. */
  openFor: number | null
  /** In how long it may be asked by who has nobody else, where it said so. */
  retryIn: number | null
  class: string
  problem: string
  /** How long one run may still be trying whether it works again; 0 or less: nobody is. */
  triedFor: number
}

export interface BreakerFailure {
  class: string
  problem: string
  /** Leave it alone at once for so long; null: only after `threshold` failures in a row, for `recoveryMs`. */
  openMs: number | null
  /** What the provider asked for, where it is less. */
  retryMs: number | null
  threshold: number
  recoveryMs: number
}

// "In a row" ends with a night between.
const FORGET_MS = 3_600_000
const KEPT_MS = 30 * 24 * 3_600_000

export async function breakers(ctx: Context, keys: readonly string[]): Promise<BreakerState[]> {
  if (keys.length === 0) return []
  return ctx.db
    .selectFrom('breakers')
    .select([
      'key',
      'failures',
      'class',
      'problem',
      sql<number | null>`open_until - ${ctx.now()}`.as('openFor'),
      sql<number | null>`retry_at - ${ctx.now()}`.as('retryIn'),
      sql<number>`probe_until - ${ctx.now()}`.as('triedFor'),
    ])
    .where('key', 'in', [...keys])
    .execute()
}

/** A provider has failed. What it is known for afterwards. */
export async function breakerFailed(ctx: Context, key: string, failure: BreakerFailure): Promise<BreakerState> {
  await write(ctx, async (tx) => {
    await lockBreaker(tx, key)
    const row = await tx.t
      .selectFrom('breakers')
      .select(['failures', 'open_until', sql<number>`open_until - ${tx.now()}`.as('left'), sql<number>`${tx.now()} - at`.as('age')])
      .where('key', '=', key)
      .executeTakeFirstOrThrow()
    const failures = (row.age > FORGET_MS && row.open_until === null ? 0 : row.failures) + 1
    await tx.t
      .updateTable('breakers')
      .set({
        failures,
        at: tx.now(),
        class: failure.class,
        problem: tx.redact(failure.problem),
        open_until: openUntil(tx, { ...row, failures }, failure),
        retry_at: failure.retryMs === null ? null : sql<number>`${tx.now()} + ${failure.retryMs}`,
        probe: null,
        probe_until: 0,
      })
      .where('key', '=', key)
      .execute()
  })
  const [state] = await breakers(ctx, [key])
  if (!state) throw new Error(`The breaker ${key} was removed while it was written.`)
  return state
}

async function lockBreaker(tx: Tx, key: string): Promise<void> {
  await tx.t
    .insertInto('breakers')
    .values({ key, failures: 0, at: tx.now(), open_until: null, retry_at: null, class: '', problem: '', probe: null, probe_until: 0 })
    .onConflict((it) => it.column('key').doUpdateSet({ probe: null }))
    .execute()
  await tx.t.deleteFrom('breakers').where('at', '<', sql<number>`${tx.now()} - ${KEPT_MS}`).where('key', '<>', key).execute()
}

interface Before {
  failures: number
  open_until: number | null
  left: number
}

function openUntil(tx: Tx, { failures, open_until, left }: Before, { openMs, threshold, recoveryMs }: BreakerFailure) {
  const open = open_until !== null && left > 0
  if (openMs !== null) return open && left > openMs ? open_until : sql<number>`${tx.now()} + ${openMs}`
  // Still left alone: those that were at work with it before do not make it longer.
  if (open) return open_until
  // Its time was over and it failed again, or too often in a row.
  return open_until !== null || failures >= threshold ? sql<number>`${tx.now()} + ${recoveryMs}` : null
}

/** A provider has answered: whatever it was known for is over. True when it was known for something. */
export async function breakerClosed(ctx: Context, key: string): Promise<boolean> {
  const known = await ctx.db.selectFrom('breakers').select('key').where('key', '=', key).executeTakeFirst()
  if (!known) return false
  await write(ctx, async (tx) => {
    await tx.t.deleteFrom('breakers').where('key', '=', key).execute()
  })
  return true
}

/** Lets one holder try a provider whose time is over; others have to wait for what comes of it, `ttlMs` at most. */
export async function takeProbe(ctx: Context, key: string, holder: string, ttlMs: number): Promise<boolean> {
  return write(ctx, async (tx) => {
    const row = await tx.t
      .updateTable('breakers')
      .set({ probe: holder, probe_until: sql<number>`${tx.now()} + ${ttlMs}` })
      .where('key', '=', key)
      .where('open_until', '<=', tx.now())
      .where((it) => it.or([it('probe', 'is', null), it('probe_until', '<=', tx.now()), it('probe', '=', holder)]))
      .returning('key')
      .executeTakeFirst()
    return row !== undefined
  })
}

/** The try came to nothing, neither good nor bad: the next may try. */
export async function freeProbe(ctx: Context, key: string, holder: string): Promise<void> {
  const held = await ctx.db.selectFrom('breakers').select('key').where('key', '=', key).where('probe', '=', holder).executeTakeFirst()
  if (!held) return
  await write(ctx, async (tx) => {
    await tx.t.updateTable('breakers').set({ probe: null, probe_until: 0 }).where('key', '=', key).where('probe', '=', holder).execute()
  })
}
