import { sql } from 'kysely'
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
  return write(ctx, async (tx) => {
    // The row lock: two takers of one key go one after the other.
    const limit = await tx.t
      .updateTable('limits')
      .set((it) => ({ ver: it('ver', '+', 1) }))
      .where('key', '=', key)
      .returning('max')
      .executeTakeFirst()
    if (!limit) return true
    await tx.t.deleteFrom('slots').where('key', '=', key).where('expires_at', '<=', tx.now()).execute()
    const others = await tx.t
      .selectFrom('slots')
      .select((it) => [it.fn.countAll<number>().as('n'), sql<number | null>`min(expires_at) - ${tx.now()}`.as('left')])
      .where('key', '=', key)
      .where('holder', '<>', holder)
      .executeTakeFirstOrThrow()
    if (others.n >= limit.max) return { retryInMs: Math.max(1, others.left ?? ttlMs) }
    const expires_at = sql<number>`${tx.now()} + ${ttlMs}`
    await tx.t
      .insertInto('slots')
      .values({ key, holder, expires_at })
      .onConflict((it) => it.columns(['key', 'holder']).doUpdateSet({ expires_at }))
      .execute()
    return true
  })
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
