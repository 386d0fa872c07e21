import type { Selectable } from 'kysely'
import { lastPosition } from './feed.ts'
import type { DeliveriesTable } from './tables-events.ts'
import { type Context, write } from './tx.ts'

export interface Delivery {
  webhook: string
  /** The `webhook-id` of all its tries. */
  message: string
  type: string
  run: string
  position: number
  status: DeliveriesTable['status']
  tries: number
  /** Status of the last answer; null: there was none. */
  answer: number | null
  problem: string | null
  createdAt: number
  triedAt: number
  /** Epoch ms of the next try, while `trying`. */
  nextAt: number | null
}

/** What is known of webhooks and of what was sent to them. */
export interface WebhookStore {
  /** The configured webhooks: new ones begin with what happens from now on, those that are not configured any more are forgotten. */
  begin(names: readonly string[]): Promise<void>
  /** Position up to which nothing is to be delivered any more; null: it has never been at work. */
  position(name: string): Promise<number | null>
  get(webhook: string, message: string): Promise<Delivery | null>
  /** Newest first; of one webhook, or of all. */
  list(filter: { webhook?: string; limit: number }): Promise<Delivery[]>
  /** Nothing up to this position is to be delivered any more. */
  pass(name: string, position: number): Promise<void>
  /** Writes down how a delivery stands. With `done` its webhook goes on behind it. */
  keep(delivery: Delivery, how: { done: boolean }): Promise<void>
}

// Of each webhook.
const KEPT = 1000

export function webhookStore(ctx: Context): WebhookStore {
  return {
    begin: (names) => begin(ctx, names),
    position: (name) => position(ctx, name),
    get: (webhook, message) => get(ctx, webhook, message),
    list: (filter) => list(ctx, filter),
    pass: (name, to) => pass(ctx, name, to),
    keep: (delivery, how) => keep(ctx, delivery, how),
  }
}

async function begin(ctx: Context, names: readonly string[]): Promise<void> {
  const now = await lastPosition(ctx)
  await write(ctx, async (tx) => {
    const known = await tx.t.selectFrom('webhooks').select('name').execute()
    const gone = known.map((it) => it.name).filter((it) => !names.includes(it))
    if (gone.length > 0) {
      await tx.t.deleteFrom('webhooks').where('name', 'in', gone).execute()
      await tx.t.deleteFrom('deliveries').where('webhook', 'in', gone).execute()
    }
    for (const name of names) {
      await tx.t
        .insertInto('webhooks')
        .values({ name, position: now })
        .onConflict((it) => it.column('name').doNothing())
        .execute()
    }
  })
}

async function position(ctx: Context, name: string): Promise<number | null> {
  const row = await ctx.db.selectFrom('webhooks').select('position').where('name', '=', name).executeTakeFirst()
  return row?.position ?? null
}

async function pass(ctx: Context, name: string, to: number): Promise<void> {
  await write(ctx, (tx) => tx.t.updateTable('webhooks').set({ position: to }).where('name', '=', name).execute())
}

async function get(ctx: Context, webhook: string, message: string): Promise<Delivery | null> {
  const row = await ctx.db
    .selectFrom('deliveries')
    .selectAll()
    .where('webhook', '=', webhook)
    .where('message', '=', message)
    .executeTakeFirst()
  return row ? toDelivery(row) : null
}

async function list(ctx: Context, { webhook, limit }: { webhook?: string; limit: number }): Promise<Delivery[]> {
  let query = ctx.db.selectFrom('deliveries').selectAll()
  if (webhook !== undefined) query = query.where('webhook', '=', webhook)
  const rows = await query.orderBy('created_at', 'desc').orderBy('position', 'desc').limit(limit).execute()
  return rows.map(toDelivery)
}

async function keep(ctx: Context, delivery: Delivery, { done }: { done: boolean }): Promise<void> {
  const { createdAt, triedAt, nextAt, problem, ...same } = delivery
  await write(ctx, async (tx) => {
    const values = { ...same, problem: problem === null ? null : tx.redact(problem), tried_at: triedAt, next_at: nextAt }
    await tx.t
      .insertInto('deliveries')
      .values({ ...values, created_at: createdAt })
      .onConflict((it) => it.columns(['webhook', 'message']).doUpdateSet(values))
      .execute()
    if (!done) return
    await tx.t.updateTable('webhooks').set({ position: delivery.position }).where('name', '=', delivery.webhook).execute()
    const oldest = await tx.t
      .selectFrom('deliveries')
      .select('created_at')
      .where('webhook', '=', delivery.webhook)
      .orderBy('created_at', 'desc')
      .limit(1)
      .offset(KEPT)
      .executeTakeFirst()
    if (oldest === undefined) return
    await tx.t.deleteFrom('deliveries').where('webhook', '=', delivery.webhook).where('created_at', '<=', oldest.created_at).execute()
  })
}

function toDelivery({ created_at, tried_at, next_at, ...same }: Selectable<DeliveriesTable>): Delivery {
  return { ...same, createdAt: created_at, triedAt: tried_at, nextAt: next_at }
}
