import type { Kysely } from 'kysely'

/** How far each webhook has come. */
export interface WebhooksTable {
  name: string
  /** Every event up to this position has been delivered, has been given up, or was none of its own. */
  position: number
}

/** What was sent to webhooks, or is being sent: one line per event and webhook, the last ones only. */
export interface DeliveriesTable {
  webhook: string
  /** The `webhook-id` of all its tries. */
  message: string
  type: string
  run: string
  position: number
  status: 'trying' | 'delivered' | 'failed' | 'disabled'
  tries: number
  /** Status of the last answer; null: there was none. */
  answer: number | null
  problem: string | null
  created_at: number
  tried_at: number
  /** When it is tried again, while `trying`. */
  next_at: number | null
}

export async function createEvents(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('webhooks')
    .addColumn('name', 'text', (it) => it.primaryKey())
    .addColumn('position', 'bigint', (it) => it.notNull())
    .execute()
  await db.schema
    .createTable('deliveries')
    .addColumn('webhook', 'text', (it) => it.notNull())
    .addColumn('message', 'text', (it) => it.notNull())
    .addColumn('type', 'text', (it) => it.notNull())
    .addColumn('run', 'text', (it) => it.notNull())
    .addColumn('position', 'bigint', (it) => it.notNull())
    .addColumn('status', 'text', (it) => it.notNull())
    .addColumn('tries', 'integer', (it) => it.notNull())
    .addColumn('answer', 'integer')
    .addColumn('problem', 'text')
    .addColumn('created_at', 'bigint', (it) => it.notNull())
    .addColumn('tried_at', 'bigint', (it) => it.notNull())
    .addColumn('next_at', 'bigint')
    .addPrimaryKeyConstraint('deliveries_key', ['webhook', 'message'] as never)
    .execute()
  await db.schema.createIndex('deliveries_by_time').on('deliveries').columns(['webhook', 'created_at']).execute()
}
