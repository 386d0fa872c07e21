import type { Kysely, Transaction } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { FailReason, RunStatus, WaitReason } from '../core/run.ts'
import { type AccessTables, createAccess } from './tables-access.ts'
import { createEvents, type DeliveriesTable, type WebhooksTable } from './tables-events.ts'
import { type AnswersTable, createHttpTables } from './tables-http.ts'
import { createQueue, type QueueColumns, type QueueTable } from './tables-queue.ts'

/** JSON is text, times are epoch ms, flags are 0 or 1: the same on SQLite and on Postgres. */
export interface RunsTable extends QueueColumns {
  id: string
  client_key: string | null
  workflow: string
  project: string
  task: string
  options: string
  state: RunStatus
  reason: WaitReason | FailReason | null
  message: string | null
  node: string | null
  priority: number
  /** Does not start before. */
  run_at: number
  /** A parked run is woken by itself at this time. */
  wake_at: number | null
  /** Raised by each claim: the fence of the run's own writes. */
  epoch: number
  /** Raised by each activation; for a queue outside the store, whose stale jobs must claim nothing. */
  ticket: number
  /** Deaths since the last finished step. */
  crashes: number
  /** Runs it waits for that have not succeeded yet. */
  unmet: number
  last_seq: number
  created_at: number
  started_at: number | null
  claimed_at: number | null
  finished_at: number | null
  /** Time it was worked on, without the claim that is at work now. */
  active_ms: number
  facts: string
}

export interface StepsTable {
  run: string
  name: string
  input_hash: string
  output: string
}

export interface EventsTable {
  run: string
  seq: number
  ts: number
  type: string
  data: string
}

export interface SignalsTable {
  id: string
  run: string
  kind: string
  data: string
  /** 1: used by the run, or without effect. */
  taken: number
  /** Number of the run's last event when it came: the order of signals. */
  seq: number
}

export interface DependsTable {
  run: string
  on_run: string
}

export interface LimitsTable {
  key: string
  max: number
  ver: number
}

/** One line per account of providers: its row lock, and until when it takes nothing. */
export interface AccountsTable {
  key: string
  ver: number
  closed_until: number
}

/** One line per request that was let go to an account, until it is of no interest any more. */
export interface RequestsTable {
  key: string
  holder: string
  at: number
  /** When it ended; of one at work, when it counts as dead without a sign of life. */
  ends_at: number
  tokens: number
}

/** Providers that have failed lately. */
export interface BreakersTable {
  key: string
  failures: number
  at: number
  open_until: number | null
  /** When it said that it may be asked again; before `open_until` only somebody who has nobody else does. */
  retry_at: number | null
  class: string
  problem: string
  /** Who tries whether it works again. */
  probe: string | null
  probe_until: number
}

export interface Tables extends AccessTables {
  runs: RunsTable
  steps: StepsTable
  events: EventsTable
  signals: SignalsTable
  depends: DependsTable
  limits: LimitsTable
  accounts: AccountsTable
  requests: RequestsTable
  breakers: BreakersTable
  queue: QueueTable
  answers: AnswersTable
  webhooks: WebhooksTable
  deliveries: DeliveriesTable
}

export type Db = Kysely<Tables>
export type DbTransaction = Transaction<Tables>

async function createRuns(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('runs')
    .addColumn('id', 'text', (it) => it.primaryKey())
    .addColumn('client_key', 'text', (it) => it.unique())
    .addColumn('workflow', 'text', (it) => it.notNull())
    .addColumn('project', 'text', (it) => it.notNull())
    .addColumn('task', 'text', (it) => it.notNull())
    .addColumn('options', 'text', (it) => it.notNull())
    .addColumn('state', 'text', (it) => it.notNull())
    .addColumn('reason', 'text')
    .addColumn('message', 'text')
    .addColumn('node', 'text')
    .addColumn('priority', 'integer', (it) => it.notNull().defaultTo(0))
    .addColumn('run_at', 'bigint', (it) => it.notNull().defaultTo(0))
    .addColumn('wake_at', 'bigint')
    .addColumn('epoch', 'integer', (it) => it.notNull().defaultTo(0))
    .addColumn('ticket', 'integer', (it) => it.notNull().defaultTo(1))
    .addColumn('crashes', 'integer', (it) => it.notNull().defaultTo(0))
    .addColumn('unmet', 'integer', (it) => it.notNull().defaultTo(0))
    .addColumn('last_seq', 'integer', (it) => it.notNull().defaultTo(0))
    .addColumn('created_at', 'bigint', (it) => it.notNull())
    .addColumn('started_at', 'bigint')
    .addColumn('claimed_at', 'bigint')
    .addColumn('finished_at', 'bigint')
    .addColumn('active_ms', 'bigint', (it) => it.notNull().defaultTo(0))
    .addColumn('facts', 'text', (it) => it.notNull().defaultTo('{}'))
    .execute()
  await db.schema.createIndex('runs_by_state').on('runs').columns(['state', 'priority', 'id']).execute()
}

async function createJournal(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('steps')
    .addColumn('run', 'text', (it) => it.notNull())
    .addColumn('name', 'text', (it) => it.notNull())
    .addColumn('input_hash', 'text', (it) => it.notNull())
    .addColumn('output', 'text', (it) => it.notNull())
    .addPrimaryKeyConstraint('steps_key', ['run', 'name'] as never)
    .execute()
  await db.schema
    .createTable('events')
    .addColumn('run', 'text', (it) => it.notNull())
    .addColumn('seq', 'integer', (it) => it.notNull())
    .addColumn('ts', 'bigint', (it) => it.notNull())
    .addColumn('type', 'text', (it) => it.notNull())
    .addColumn('data', 'text', (it) => it.notNull())
    .addPrimaryKeyConstraint('events_key', ['run', 'seq'] as never)
    .execute()
}

async function createSignals(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('signals')
    .addColumn('id', 'text', (it) => it.primaryKey())
    .addColumn('run', 'text', (it) => it.notNull())
    .addColumn('kind', 'text', (it) => it.notNull())
    .addColumn('data', 'text', (it) => it.notNull())
    .addColumn('taken', 'integer', (it) => it.notNull().defaultTo(0))
    .addColumn('seq', 'integer', (it) => it.notNull())
    .execute()
  await db.schema.createIndex('signals_by_run').on('signals').columns(['run', 'taken']).execute()
  await db.schema
    .createTable('depends')
    .addColumn('run', 'text', (it) => it.notNull())
    .addColumn('on_run', 'text', (it) => it.notNull())
    .addPrimaryKeyConstraint('depends_key', ['run', 'on_run'] as never)
    .execute()
  await db.schema.createIndex('depends_by_target').on('depends').columns(['on_run', 'run']).execute()
}

/** Slots are not used any more, limits are counted over the runs at work; an older process may still look for them. */
async function createLimits(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('limits')
    .addColumn('key', 'text', (it) => it.primaryKey())
    .addColumn('max', 'integer', (it) => it.notNull())
    .addColumn('ver', 'integer', (it) => it.notNull().defaultTo(0))
    .execute()
  await db.schema
    .createTable('slots')
    .addColumn('key', 'text', (it) => it.notNull())
    .addColumn('holder', 'text', (it) => it.notNull())
    .addColumn('expires_at', 'bigint', (it) => it.notNull())
    .addPrimaryKeyConstraint('slots_key', ['key', 'holder'] as never)
    .execute()
}

async function createRouting(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('accounts')
    .addColumn('key', 'text', (it) => it.primaryKey())
    .addColumn('ver', 'bigint', (it) => it.notNull())
    .addColumn('closed_until', 'bigint', (it) => it.notNull())
    .execute()
  await db.schema
    .createTable('requests')
    .addColumn('key', 'text', (it) => it.notNull())
    .addColumn('holder', 'text', (it) => it.notNull())
    .addColumn('at', 'bigint', (it) => it.notNull())
    .addColumn('ends_at', 'bigint', (it) => it.notNull())
    .addColumn('tokens', 'bigint', (it) => it.notNull())
    .addPrimaryKeyConstraint('requests_key', ['key', 'holder'] as never)
    .execute()
  await db.schema.createIndex('requests_by_end').on('requests').columns(['ends_at', 'key']).execute()
  await db.schema
    .createTable('breakers')
    .addColumn('key', 'text', (it) => it.primaryKey())
    .addColumn('failures', 'integer', (it) => it.notNull())
    .addColumn('at', 'bigint', (it) => it.notNull())
    .addColumn('open_until', 'bigint')
    .addColumn('retry_at', 'bigint')
    .addColumn('class', 'text', (it) => it.notNull())
    .addColumn('problem', 'text', (it) => it.notNull())
    .addColumn('probe', 'text')
    .addColumn('probe_until', 'bigint', (it) => it.notNull())
    .execute()
}

/** In order, forward only. Expand first, contract a release later: an older process may be at work on the same store. */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001-runs': {
    async up(db) {
      await createRuns(db)
      await createJournal(db)
      await createSignals(db)
      await createLimits(db)
    },
  },
  '0002-routing': { up: createRouting },
  '0003-access': { up: createAccess },
  '0004-queue': { up: createQueue },
  '0005-events': { up: createEvents },
  '0006-http': { up: createHttpTables },
}
