import { sql } from 'kysely'
import { type Context, write } from './tx.ts'

/** An answer that was given, and to which request. */
export interface KeptAnswer {
  /** Of the request. */
  digest: string
  status: number
  type: string
  body: string
}

const DAY_MS = 24 * 60 * 60 * 1000
/** Forgetting is no hurry: a few with each new one keep the table at a day's length. */
const FORGOTTEN_AT_ONCE = 20

/** What was answered in the last day under this id; null: nothing. */
export async function findAnswer(ctx: Context, id: string): Promise<KeptAnswer | null> {
  const row = await ctx.db
    .selectFrom('answers')
    .select(['digest', 'status', 'type', 'body'])
    .where('id', '=', id)
    .where('created_at', '>', sql<number>`${ctx.now()} - ${DAY_MS}`)
    .executeTakeFirst()
  return row ?? null
}

export async function keepAnswer(ctx: Context, id: string, answer: KeptAnswer): Promise<void> {
  await write(ctx, async (tx) => {
    const row = { ...answer, created_at: tx.now() }
    await tx.t
      .insertInto('answers')
      .values({ id, ...row })
      .onConflict((it) => it.column('id').doUpdateSet(row))
      .execute()
    const old = tx.t
      .selectFrom('answers')
      .select('id')
      .where('created_at', '<=', sql<number>`${tx.now()} - ${DAY_MS}`)
      .limit(FORGOTTEN_AT_ONCE)
    await tx.t.deleteFrom('answers').where('id', 'in', old).execute()
  })
}
