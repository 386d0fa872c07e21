/**
 * What the server is compared with, as a process of its own: hono on its Node adapter that gives the same bytes from memory, and for a submitted
 * run writes the same rows into SQLite with the same durability. It checks nothing and knows nobody.
 * Started by rates.ts: node test/perf/server/bare.ts <file>
 */
import { readFileSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'

export interface Bare {
  list: string
  show: string
  submitted: string
  /** Path of an empty database to write to. */
  database: string
  /** Statements that make its tables. */
  schema: readonly string[]
  /** Rows that a submitted run adds, by table; the value under `unique` is another one in each request. */
  rows: readonly { table: string; row: Readonly<Record<string, SQLInputValue>>; unique: string }[]
}

/** Writes the rows once, in one transaction that is on disk when it returns. */
export function rowWriter({ database: path, schema, rows }: Pick<Bare, 'database' | 'schema' | 'rows'>): { write(): void; close(): void } {
  const database = new DatabaseSync(path)
  database.exec('pragma journal_mode=WAL; pragma synchronous=FULL')
  for (const sql of schema) database.exec(sql)
  const statements = rows.map(({ table, row, unique }) => {
    const columns = Object.keys(row)
    const insert = database.prepare(`insert into ${table}(${columns.join(', ')}) values (${columns.map(() => '?').join(', ')})`)
    return (id: string) => insert.run(...columns.map((it) => (it === unique ? id : (row[it] ?? null))))
  })
  let written = 0
  return {
    write() {
      const id = `r${++written}`
      database.exec('begin immediate')
      for (const insert of statements) insert(id)
      database.exec('commit')
    },
    close: () => database.close(),
  }
}

if (import.meta.main) {
  const bare = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Bare
  const writer = rowWriter(bare)
  const json = { 'content-type': 'application/json' }
  const app = new Hono()
  app.get('/api/v1/runs', () => new Response(bare.list, { headers: json }))
  app.get('/api/v1/runs/:run', () => new Response(bare.show, { headers: json }))
  app.post('/api/v1/runs', async (c) => {
    await c.req.json()
    writer.write()
    return new Response(bare.submitted, { headers: json })
  })
  serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) => console.log(port))
}
