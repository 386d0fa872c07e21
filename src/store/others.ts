import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { sql } from 'kysely'
import { position } from './position.ts'
import type { Db } from './schema.ts'

/** What a commit has changed: a run (null: something else, such as the queue), and whether that may let runs begin, go on or end. */
export interface Change {
  run: string | null
  state: boolean
}

/** Finds out what other connections to the store have written. */
export interface Others {
  /** From now on. */
  begin(): void
  /** What they have changed since `begin` or the last call; `many`: anything. Costs next to nothing when it is nothing. */
  changes(): Promise<readonly Change[] | 'many'>
}

// More events than this are not looked through: everybody reads.
const MOST = 1000

/** May events of this type let a run begin, go on or end? The others tell what happens inside a run. */
export function isState(type: string): boolean {
  return type.startsWith('run.')
}

export function otherWriters(database: DatabaseSync, db: Db): Others {
  let statement: StatementSync | null = null
  let version: unknown = null
  let seen: number | null = null

  /** Changes exactly when another connection has committed; own commits do not count. */
  function read(): unknown {
    statement ??= database.prepare('pragma data_version')
    return statement.get()?.['data_version']
  }

  return {
    begin() {
      version = read()
      seen = null
    },
    async changes() {
      const now = read()
      if (now === version) return []
      version = now
      if (seen === null) {
        const last = await db.selectFrom('events').select(sql<number | null>`max(${position})`.as('last')).executeTakeFirst()
        seen = last?.last ?? 0
        return 'many'
      }
      const rows = await db
        .selectFrom('events')
        .select(['run', 'type', position.as('position')])
        .where(position, '>', seen)
        .orderBy(position)
        .limit(MOST)
        .execute()
      seen = rows.at(-1)?.position ?? seen
      if (rows.length === MOST) {
        seen = null
        return 'many'
      }
      const states = new Map<string, boolean>()
      for (const { run, type } of rows) states.set(run, states.get(run) === true || isState(type))
      // What is no event may have been a pause of the queue that has ended.
      return [{ run: null, state: true }, ...[...states].map(([run, state]) => ({ run, state }))]
    },
  }
}
