import { sql } from 'kysely'
import type { AccessRole } from '../core/actor.ts'
import { parseJson } from '../core/json.ts'
import type { KeysTable } from './tables-access.ts'
import { type Context, write } from './tx.ts'

/** An API key, without what would let anybody in. Times are epoch ms. */
export interface ApiKey {
  id: string
  /** Unique among the live ones. */
  name: string
  role: AccessRole
  /** Roots of the projects it may see; null: all. */
  projects: readonly string[] | null
  createdAt: number
  createdBy: string
  expiresAt: number | null
  lastUsedAt: number | null
  state: 'live' | 'expired' | 'revoked'
}

export interface NewKey extends Pick<ApiKey, 'id' | 'name' | 'role' | 'projects' | 'createdBy'> {
  digest: string
  /** Null: never. */
  expiresInMs: number | null
}

// Who uses a key many times a second makes one write of it a minute.
export const USED_EVERY_MS = 60_000

/** Null: a live key of that name is there already. */
export async function addKey(ctx: Context, { projects, expiresInMs, createdBy, ...key }: NewKey): Promise<ApiKey | null> {
  const added = await write(ctx, async (tx) => {
    const taken = await tx.t
      .selectFrom('api_keys')
      .select('id')
      .where('name', '=', key.name)
      .where('revoked_at', 'is', null)
      .where((it) => it.or([it('expires_at', 'is', null), it('expires_at', '>', tx.now())]))
      .executeTakeFirst()
    if (taken !== undefined) return false
    await tx.t
      .insertInto('api_keys')
      .values({
        ...key,
        projects: projects === null ? null : JSON.stringify(projects),
        created_at: tx.now(),
        created_by: createdBy,
        expires_at: expiresInMs === null ? null : sql<number>`${tx.now()} + ${expiresInMs}`,
      })
      .execute()
    return true
  })
  return added ? ((await findKey(ctx, key.id))?.key ?? null) : null
}

/** A key and the digest of its value; null: there is none of that id. */
export async function findKey(ctx: Context, id: string): Promise<{ key: ApiKey; digest: string } | null> {
  const row = await selectKeys(ctx).where('id', '=', id).executeTakeFirst()
  return row === undefined ? null : { key: keyOf(row), digest: row.digest }
}

/** All that were ever made, the newest first. */
export async function listKeys(ctx: Context): Promise<ApiKey[]> {
  const rows = await selectKeys(ctx).orderBy('created_at', 'desc').orderBy('id').execute()
  return rows.map(keyOf)
}

/** Ends a key at once. Null: there is none of that id that was not ended before. */
export async function revokeKey(ctx: Context, id: string): Promise<ApiKey | null> {
  const done = await write(ctx, (tx) =>
    tx.t
      .updateTable('api_keys')
      .set({ revoked_at: tx.now() })
      .where('id', '=', id)
      .where('revoked_at', 'is', null)
      .returning('id')
      .executeTakeFirst(),
  )
  return done === undefined ? null : ((await findKey(ctx, id))?.key ?? null)
}

/** Remembers that a key is in use; writes once a minute at most. */
export async function keyUsed(ctx: Context, id: string): Promise<void> {
  const due = sql<boolean>`coalesce(last_used_at, 0) <= ${ctx.now()} - ${USED_EVERY_MS}`
  const row = await ctx.db.selectFrom('api_keys').select('id').where('id', '=', id).where(due).executeTakeFirst()
  if (row === undefined) return
  await write(ctx, (tx) => tx.t.updateTable('api_keys').set({ last_used_at: tx.now() }).where('id', '=', id).execute())
}

function selectKeys(ctx: Context) {
  return ctx.db.selectFrom('api_keys').selectAll().select(sql<number>`case when expires_at <= ${ctx.now()} then 1 else 0 end`.as('expired'))
}

function keyOf(row: KeysTable & { expired: number }): ApiKey {
  return {
    id: row.id,
    name: row.name,
    role: row.role as AccessRole,
    projects: row.projects === null ? null : (parseJson(row.projects, 'projects of a key') as string[]),
    createdAt: row.created_at,
    createdBy: row.created_by,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
    state: row.revoked_at !== null ? 'revoked' : row.expired === 1 ? 'expired' : 'live',
  }
}
