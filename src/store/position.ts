import { sql } from 'kysely'

/**
 * Number of an event among those of all runs, in the order of their commits. On SQLite it is the row's own number: one writer at a time
 * commits, the next row has the highest number plus one, and events are never removed. `VACUUM` could give other numbers: copy a store with
 * `backup()`. Postgres needs a column of its own for this, filled in the order of commits.
 */
export const position = sql<number>`events.rowid`
