import type { Kysely } from 'kysely'

/** Answers that were given to requests with an idempotency key. */
export interface AnswersTable {
  /** Of the caller and its key. */
  id: string
  /** Of the request that was answered. */
  digest: string
  status: number
  type: string
  body: string
  created_at: number
}

export async function createHttpTables(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('answers')
    .addColumn('id', 'text', (it) => it.primaryKey())
    .addColumn('digest', 'text', (it) => it.notNull())
    .addColumn('status', 'integer', (it) => it.notNull())
    .addColumn('type', 'text', (it) => it.notNull())
    .addColumn('body', 'text', (it) => it.notNull())
    .addColumn('created_at', 'bigint', (it) => it.notNull())
    .execute()
  await db.schema.createIndex('answers_by_time').on('answers').columns(['created_at']).execute()
}
