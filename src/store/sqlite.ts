import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  SqliteAdapter,
  type SqliteDatabase,
  SqliteDriver,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import type { Clock } from '../core/clock.ts'
import { isBusy } from './lock-file.ts'

// Other processes hold the write lock for the length of one transaction, a few ms; a stalled disk may take seconds.
const BUSY_LIMIT_MS = 60_000
// How long one synchronous try may hold up the event loop.
const BUSY_TRY_MS = 20
// About as many as the source has; lists of different lengths make more.
const MOST_STATEMENTS = 500
// Reads wait only while a process that died is cleaned up after, or the store is being set up.
const READ_WAIT_MS = 5000

/** Opens a database file; per connection settings only. */
export function openDatabase(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: READ_WAIT_MS })
  database.exec('pragma synchronous=FULL; pragma foreign_keys=on')
  return database
}

function bindable(value: unknown): SQLInputValue {
  // A Date as first value is taken for named parameters and becomes NULL, silently.
  if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value))
    throw new TypeError(`A ${value.constructor?.name ?? 'object'} cannot be stored; give text, a number, bytes or null.`)
  return value as SQLInputValue
}

/** `node:sqlite` behind the few methods that kysely's SQLite driver calls. */
function shim(database: DatabaseSync): SqliteDatabase {
  const kept = new Map<string, ReturnType<SqliteDatabase['prepare']>>()
  return {
    close: () => database.close(),
    prepare(sql) {
      const known = kept.get(sql)
      if (known) return known
      const statement = database.prepare(sql)
      const made: ReturnType<SqliteDatabase['prepare']> = {
        reader: statement.columns().length > 0,
        all: (values) => statement.all(...values.map(bindable)),
        run: (values) => statement.run(...values.map(bindable)),
        // One of its own: the kept one may be asked again before the last row was taken.
        iterate: (values) => database.prepare(sql).iterate(...values.map(bindable)),
      }
      if (kept.size >= MOST_STATEMENTS) kept.clear()
      kept.set(sql, made)
      return made
    },
  }
}

/**
 * Transactions take the write lock at once: one that reads first and writes later fails when another process wrote in between.
 * Waiting for the lock leaves the event loop free.
 */
class ImmediateDriver extends SqliteDriver {
  readonly #database: DatabaseSync
  readonly #clock: Clock

  constructor(database: DatabaseSync, clock: Clock) {
    super({ database: shim(database) })
    this.#database = database
    this.#clock = clock
  }

  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await retryBusy(this.#clock, async () => {
      this.#database.exec(`pragma busy_timeout=${BUSY_TRY_MS}`)
      try {
        await connection.executeQuery(CompiledQuery.raw('begin immediate'))
      } finally {
        this.#database.exec(`pragma busy_timeout=${READ_WAIT_MS}`)
      }
    })
  }

  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    // A full disk and a read error have rolled it back already; a second rollback would hide what went wrong.
    if (this.#database.isTransaction) await super.rollbackTransaction(connection)
  }
}

/** Tries again while the database is locked, for a minute at most. */
export async function retryBusy<T>(clock: Clock, fn: () => Promise<T>): Promise<T> {
  const until = performance.now() + BUSY_LIMIT_MS
  for (;;) {
    try {
      return await fn()
    } catch (error) {
      if (!isBusy(error) || performance.now() > until) throw error
    }
    // Uneven, so that processes that wait do not all come back together.
    await clock.sleep(5 + Math.random() * 25)
  }
}

class TransactionalAdapter extends SqliteAdapter {
  // SQLite's DDL is transactional; without this a failed migration leaves its first half behind.
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

export function sqliteDialect(database: DatabaseSync, clock: Clock): Dialect {
  return {
    createDriver: () => new ImmediateDriver(database, clock),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createAdapter: () => new TransactionalAdapter(),
    createIntrospector: (db) => new SqliteIntrospector(db),
  }
}
