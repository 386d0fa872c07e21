import { sql } from 'kysely'
import type { Db } from './schema.ts'
import { type Context, write } from './tx.ts'

/** How many may hold a slot of this key at the same time, over all processes. */
export async function setLimit(ctx: Context, key: string, max: number): Promise<void> {
  const current = await ctx.db.selectFrom('limits').select('max').where('key', '=', key).executeTakeFirst()
  if (current?.max === max) return
  await write(ctx, async (tx) => {
    await tx.t
      .insertInto('limits')
      .values({ key, max, ver: 0 })
      .onConflict((it) => it.column('key').doUpdateSet({ max }))
      .execute()
  })
}

/** Takes or keeps a slot. A key without a limit always gives one. `retryInMs`: when the next one expires at the latest. */
export async function takeSlot(ctx: Context, key: string, holder: string, ttlMs: number): Promise<true | { retryInMs: number }> {
  // A full key is seen without writing: many may be asking for it several times a second.
  const seen = await others(ctx.db, ctx, key, holder)
  if (seen === null) return true
  if (seen.full) return { retryInMs: Math.max(1, seen.left ?? ttlMs) }
  return write(ctx, async (tx) => {
    // The row lock: two takers of one key go one after the other.
    await tx.t
      .updateTable('limits')
      .set((it) => ({ ver: it('ver', '+', 1) }))
      .where('key', '=', key)
      .execute()
    await tx.t.deleteFrom('slots').where('key', '=', key).where('expires_at', '<=', tx.now()).execute()
    const now = await others(tx.t, ctx, key, holder)
    if (now?.full) return { retryInMs: Math.max(1, now.left ?? ttlMs) }
    const expires_at = sql<number>`${tx.now()} + ${ttlMs}`
    await tx.t
      .insertInto('slots')
      .values({ key, holder, expires_at })
      .onConflict((it) => it.columns(['key', 'holder']).doUpdateSet({ expires_at }))
      .execute()
    return true
  })
}

/** Slots that others hold: are they all, and when does the first of them expire. Null: the key has no limit. */
async function others(db: Db, ctx: Context, key: string, holder: string): Promise<{ full: boolean; left: number | null } | null> {
  const limit = await db.selectFrom('limits').select('max').where('key', '=', key).executeTakeFirst()
  if (!limit) return null
  const row = await db
    .selectFrom('slots')
    .select((it) => [it.fn.countAll<number>().as('n'), sql<number | null>`min(expires_at) - ${ctx.now()}`.as('left')])
    .where('key', '=', key)
    .where('holder', '<>', holder)
    .where('expires_at', '>', ctx.now())
    .executeTakeFirstOrThrow()
  return { full: row.n >= limit.max, left: row.left }
}

/** False: the slot was lost (it expired); what it allowed has to end. */
export async function renewSlot(ctx: Context, key: string, holder: string, ttlMs: number): Promise<boolean> {
  return write(ctx, async (tx) => {
    const row = await tx.t
      .updateTable('slots')
      .set({ expires_at: sql<number>`${tx.now()} + ${ttlMs}` })
      .where('key', '=', key)
      .where('holder', '=', holder)
      .where('expires_at', '>', tx.now())
      .returning('expires_at')
      .executeTakeFirst()
    return row !== undefined
  })
}

export async function freeSlot(ctx: Context, key: string, holder: string): Promise<void> {
  await write(ctx, async (tx) => {
    await tx.t.deleteFrom('slots').where('key', '=', key).where('holder', '=', holder).execute()
  })
}

/** Slots of a node that is gone. Holders of a node begin with its id and a slash. */
export async function freeSlotsOf(ctx: Context, node: string): Promise<void> {
  await write(ctx, async (tx) => {
    await tx.t.deleteFrom('slots').where('holder', 'like', `${node}/%`).execute()
  })
}
