import type { Kysely } from 'kysely'

/** Keys of programs. Only the digest of a key is kept. */
export interface KeysTable {
  id: string
  name: string
  digest: string
  role: string
  /** JSON list of roots of projects; null: all. */
  projects: string | null
  created_at: number
  created_by: string
  expires_at: number | null
  revoked_at: number | null
  last_used_at: number | null
}

/** What was asked for and what came of it: lines that are added and never changed. */
export interface AuditTable {
  seq: number
  ts: number
  actor: string
  action: string
  target: string
  /** From where: the command line, an address. */
  via: string
  result: string
  /** Id of the sealing key. */
  sealed_by: string
  /** Over this line and the seal of the one before. */
  seal: string
}

/** One line: where the audit record ends. Its row lock orders those who add. */
export interface AuditHeadTable {
  id: number
  seq: number
  seal: string
  /** When the head was last written outside of the store. */
  anchored_at: number
}

export interface AccessTables {
  api_keys: KeysTable
  audit: AuditTable
  audit_head: AuditHeadTable
}

export async function createAccess(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('api_keys')
    .addColumn('id', 'text', (it) => it.primaryKey())
    .addColumn('name', 'text', (it) => it.notNull())
    .addColumn('digest', 'text', (it) => it.notNull())
    .addColumn('role', 'text', (it) => it.notNull())
    .addColumn('projects', 'text')
    .addColumn('created_at', 'bigint', (it) => it.notNull())
    .addColumn('created_by', 'text', (it) => it.notNull())
    .addColumn('expires_at', 'bigint')
    .addColumn('revoked_at', 'bigint')
    .addColumn('last_used_at', 'bigint')
    .execute()
  await db.schema
    .createTable('audit')
    .addColumn('seq', 'bigint', (it) => it.primaryKey())
    .addColumn('ts', 'bigint', (it) => it.notNull())
    .addColumn('actor', 'text', (it) => it.notNull())
    .addColumn('action', 'text', (it) => it.notNull())
    .addColumn('target', 'text', (it) => it.notNull())
    .addColumn('via', 'text', (it) => it.notNull())
    .addColumn('result', 'text', (it) => it.notNull())
    .addColumn('sealed_by', 'text', (it) => it.notNull())
    .addColumn('seal', 'text', (it) => it.notNull())
    .execute()
  await db.schema
    .createTable('audit_head')
    .addColumn('id', 'integer', (it) => it.primaryKey())
    .addColumn('seq', 'bigint', (it) => it.notNull())
    .addColumn('seal', 'text', (it) => it.notNull())
    .addColumn('anchored_at', 'bigint', (it) => it.notNull())
    .execute()
}
