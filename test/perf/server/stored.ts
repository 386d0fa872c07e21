import { join } from 'node:path'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { newRunId } from '../../../src/core/ids.ts'

type Row = Record<string, SQLInputValue>

const storeOf = (home: string) => join(home, 'reeve/state/store.db')

/** Copies of a finished run under new ids, each with its events, or with so many of them, the first ones again and again. */
export function copyRun(home: string, run: string, { copies, events }: { copies: number; events?: number }): string[] {
  const database = new DatabaseSync(storeOf(home), { timeout: 10_000 })
  const row = database.prepare('select * from runs where id = ?').get(run) as Row
  const own = database.prepare('select * from events where run = ? order by seq').all(run) as Row[]
  const wanted = events ?? own.length
  const columns = Object.keys(row)
  const insertRun = database.prepare(`insert into runs(${columns.join(', ')}) values (${columns.map(() => '?').join(', ')})`)
  const insertEvent = database.prepare('insert into events(run, seq, ts, type, data) values (?, ?, ?, ?, ?)')
  const ids: string[] = []
  database.exec('begin immediate')
  for (let copy = 0; copy < copies; copy++) {
    const id = newRunId(Date.now() - copies + copy)
    ids.push(id)
    const said: Row = { ...row, id, client_key: null, last_seq: wanted }
    insertRun.run(...columns.map((it) => said[it] ?? null))
    for (let at = 0; at < wanted; at++) {
      // The beginning and the end once, and in between what happens in a step.
      const event = (at === wanted - 1 ? own.at(-1) : at < own.length - 1 ? own[at] : own[2 + (at % (own.length - 4))]) ?? {}
      insertEvent.run(id, at + 1, event['ts'] ?? 0, event['type'] ?? '', event['data'] ?? '{}')
    }
  }
  database.exec('commit')
  database.close()
  return ids
}

/** The rows of one run in these tables, and the statements that made the tables. */
export function rowsOf(home: string, run: string): { schema: string[]; rows: { table: string; row: Row; unique: string }[] } {
  const database = new DatabaseSync(storeOf(home), { readOnly: true, timeout: 10_000 })
  const made = "select sql from sqlite_master where tbl_name in ('runs', 'events') and sql is not null"
  const schema = (database.prepare(made).all() as { sql: string }[]).map((it) => it.sql)
  const runs = database.prepare('select * from runs where id = ?').all(run) as Row[]
  const events = database.prepare('select * from events where run = ?').all(run) as Row[]
  database.close()
  return {
    schema,
    rows: [
      ...runs.map((it) => ({ table: 'runs', row: { ...it, client_key: null }, unique: 'id' })),
      ...events.map((row) => ({ table: 'events', row, unique: 'run' })),
    ],
  }
}
