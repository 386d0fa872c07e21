import type { DatabaseSync } from 'node:sqlite'
import { type BreakerState, breakers } from './breakers.ts'
import { type Context, write } from './tx.ts'

/** What is known about providers that have failed lately, all of them. */
export async function allBreakers(ctx: Context): Promise<BreakerState[]> {
  const rows = await ctx.db.selectFrom('breakers').select('key').execute()
  return breakers(
    ctx,
    rows.map((it) => it.key),
  )
}

/** Bytes of the store, without what is not yet in its main file. Reads one page. */
export function storeBytes({ database }: Context): number {
  const number = (pragma: string) => Number(Object.values(database.prepare(`pragma ${pragma}`).get() ?? {})[0] ?? 0)
  return number('page_count') * number('page_size')
}

/** Names of the migrations that the store has had. */
export function migrationsOf({ database }: Context): string[] {
  return names(database, 'select name from kysely_migration order by name')
}

function names(database: DatabaseSync, query: string): string[] {
  return database
    .prepare(query)
    .all()
    .map((it) => String(Object.values(it)[0]))
}

export interface StoreFacts {
  bytes: number
  migrations: string[]
  /** Rows of each table. */
  rows: Record<string, number>
  /** What `quick_check` found, at most 20; empty: nothing is wrong. */
  problems: string[]
}

/** Reads everything: seconds with millions of events. For a person who asks, in a process of its own. */
export async function storeFacts(ctx: Context): Promise<StoreFacts> {
  const { database } = ctx
  const tables = names(database, "select name from sqlite_master where type = 'table' and name not like 'sqlite_%' order by name")
  const rows = tables.map((it) => [it, Number(database.prepare(`select count(*) as n from "${it}"`).get()?.['n'] ?? 0)])
  return {
    bytes: storeBytes(ctx),
    migrations: migrationsOf(ctx),
    rows: Object.fromEntries(rows) as Record<string, number>,
    problems: names(database, 'pragma quick_check(20)').filter((it) => it !== 'ok'),
  }
}

/** Writes for certain, to the disk. Throws when the store cannot be written: a full disk, a lost lock, a file that is gone. */
export async function probeWrite(ctx: Context): Promise<void> {
  await write(ctx, async (tx) => {
    await tx.t
      .insertInto('limits')
      .values({ key: PROBE, max: 0, ver: 1 })
      .onConflict((it) => it.column('key').doUpdateSet((row) => ({ ver: row('limits.ver', '+', 1) })))
      .execute()
  })
}

/** The one row that is written to see whether that works. */
const PROBE = 'write-probe'
