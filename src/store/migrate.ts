import { readdirSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import { type Kysely, sql } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import type { Clock } from '../core/clock.ts'
import { problemOf, ReeveError } from '../core/errors.ts'
import { retryBusy } from './sqlite.ts'

type Migrations = Readonly<Record<string, Migration>>

/** Names of the migrations that a store has had; empty for a new one. */
async function executed(db: Kysely<unknown>): Promise<string[]> {
  const { rows: tables } = await sql<{ name: string }>`select name from sqlite_master where name = 'kysely_migration'`.execute(db)
  if (tables.length === 0) return []
  const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db)
  return rows.map((it) => it.name)
}

function refuseNewer(path: string, done: readonly string[], migrations: Migrations): void {
  const unknown = done.filter((it) => !(it in migrations))
  if (unknown.length > 0) throw new ReeveError('store_newer', { path, problem: `it has had "${unknown.join('", "')}"` })
}

/** One process at a time sets a store up; the lock goes with the process. Never open this file by `fs` while it is held. */
async function alone<T>(path: string, clock: Clock, fn: () => Promise<T>): Promise<T> {
  const lock = new DatabaseSync(path, { timeout: 0 })
  try {
    await retryBusy(clock, async () => lock.exec('begin exclusive'))
    return await fn()
  } finally {
    lock.close()
  }
}

export interface StoreFile {
  path: string
  database: DatabaseSync
  db: Kysely<unknown>
  clock: Clock
}

/**
 * Brings a store up to date. Costs two small reads when it is. Each migration happens whole or not at all; before an existing store is
 * changed, a copy is left beside it. Throws `store_newer` and `store_failed`.
 */
export async function migrateStore(file: StoreFile, migrations: Migrations): Promise<void> {
  const current = async () => {
    const done = await executed(file.db)
    refuseNewer(file.path, done, migrations)
    return done.length === Object.keys(migrations).length
  }
  const mode = file.database.prepare('pragma journal_mode').get()
  if (mode?.['journal_mode'] === 'wal' && (await current())) return

  await alone(`${file.path}.setup`, file.clock, async () => {
    // Changing the mode needs the file for itself; SQLite does not wait for it.
    await retryBusy(file.clock, async () => file.database.exec('pragma journal_mode=WAL'))
    if (await current()) return
    await keepCopy(file)
    const migrator = new Migrator({ db: file.db, provider: { getMigrations: async () => ({ ...migrations }) } })
    const { error } = await migrator.migrateToLatest()
    if (error !== undefined) throw new ReeveError('store_failed', { path: file.path, problem: problemOf(error) }, { cause: error })
    dropOldCopies(file.path)
  })
}

const COPY = '.before-migration-after-'
// One for each update would fill the disk in the end; who goes back goes back to one of the last.
const KEPT_COPIES = 2

/** Only the newest copies stay. */
function dropOldCopies(path: string): void {
  const folder = dirname(path)
  const made = readdirSync(folder)
    .filter((it) => it.startsWith(`${basename(path)}${COPY}`))
    .map((it) => join(folder, it))
  const oldestFirst = made.toSorted((a, b) => statSync(a).mtimeMs - statSync(b).mtimeMs || (a < b ? -1 : 1))
  for (const it of oldestFirst.slice(0, -KEPT_COPIES)) rmSync(it, { force: true })
}

async function keepCopy(file: StoreFile): Promise<void> {
  const last = (await executed(file.db)).at(-1)
  if (last !== undefined) await backup(file.database, `${file.path}${COPY}${last}`)
}
