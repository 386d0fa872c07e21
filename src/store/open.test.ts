import { existsSync, readdirSync, utimesSync } from 'node:fs'
import { basename, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Kysely, sql } from 'kysely'
import { expect, it, onTestFinished } from 'vitest'
import { temporaryFolder, writeFiles } from '../../test/support/folder.ts'
import { toyStore, toySubmit } from '../../test/support/toy-runs.ts'
import { systemClock } from '../core/clock.ts'
import { migrateStore } from './migrate.ts'
import { openStore } from './open.ts'
import { MIGRATIONS } from './schema.ts'
import { openDatabase, sqliteDialect } from './sqlite.ts'

function rawStore(folder: string) {
  const path = join(folder, 'store.db')
  const database = openDatabase(path)
  onTestFinished(() => {
    if (database.isOpen) database.close()
  })
  return { path, database, db: new Kysely<unknown>({ dialect: sqliteDialect(database, systemClock) }), clock: systemClock }
}

function tables(folder: string): string[] {
  const database = new DatabaseSync(join(folder, 'store.db'))
  const rows = database.prepare("select name from sqlite_master where type = 'table' order by name").all()
  database.close()
  return rows.map((it) => String(it['name']))
}

it('makes the store with the settings that survive a power cut', async () => {
  const folder = join(temporaryFolder(), 'with space and ü', 'deep')
  const store = await openStore(folder)
  await store.close()
  const { database } = rawStore(folder)
  expect(database.prepare('pragma journal_mode').get()).toEqual({ journal_mode: 'wal' })
  expect(database.prepare('pragma synchronous').get()).toEqual({ synchronous: 2 })
  expect(database.prepare('pragma foreign_keys').get()).toEqual({ foreign_keys: 1 })
  for (const name of ['depends', 'events', 'limits', 'requests', 'runs', 'signals', 'slots', 'steps'])
    expect(tables(folder)).toContain(name)
})

it('opens an existing store with what is in it', async () => {
  const folder = temporaryFolder()
  const first = await openStore(folder)
  const run = await toySubmit(first)
  await first.close()
  const again = await toyStore(folder)
  expect(await again.getRun(run.id)).toMatchObject({ id: run.id, task: { id: 'toy' } })
})

it('is opened by many at once while it does not exist yet', async () => {
  const folder = temporaryFolder()
  const stores = await Promise.all(Array.from({ length: 8 }, () => openStore(folder)))
  const runs = await Promise.all(stores.map((it, at) => toySubmit(it, `t${at}`)))
  expect(new Set((await stores[0]?.listRuns())?.map((it) => it.id))).toEqual(new Set(runs.map((it) => it.id)))
  await Promise.all(stores.map((it) => it.close()))
})

it('leaves nothing of a migration that fails in the middle', async () => {
  const folder = temporaryFolder()
  await (await openStore(folder)).close()
  const before = tables(folder)
  const file = rawStore(folder)
  const broken = {
    async up(db: Kysely<unknown>) {
      await db.schema.createTable('half').addColumn('id', 'text').execute()
      await sql`insert into nowhere values (1)`.execute(db)
    },
  }
  await expect(migrateStore(file, { ...MIGRATIONS, '9999-broken': broken })).rejects.toThrow(
    `The store "${file.path}" could not be used: no such table: nowhere`,
  )
  expect(tables(folder)).toEqual(before)
  await (await openStore(folder)).close()
})

it('keeps a copy of the store before it is migrated', async () => {
  const folder = temporaryFolder()
  const store = await openStore(folder)
  const run = await toySubmit(store)
  await store.close()
  const file = rawStore(folder)
  const grow = { up: async (db: Kysely<unknown>) => db.schema.createTable('more').addColumn('id', 'text').execute() }
  await migrateStore(file, { ...MIGRATIONS, '9999-more': grow })
  const copy = new DatabaseSync(`${file.path}.before-migration-after-${Object.keys(MIGRATIONS).at(-1)}`, { readOnly: true })
  expect(copy.prepare('select id from runs').all()).toEqual([{ id: run.id }])
  copy.close()
})

it('brings a store of an older reeve forward with its runs, and keeps the last two copies of before', async () => {
  const folder = temporaryFolder()
  const { path, database, db, clock } = rawStore(folder)
  const [first, second] = Object.entries(MIGRATIONS)
  if (!first || !second) throw new Error('there are not two migrations')
  await migrateStore({ path, database, db, clock }, Object.fromEntries([first, second]))
  database.exec(
    'insert into runs(id, workflow, project, task, options, state, created_at) values (\'r1\', \'toy\', \'/p\', \'{"id":"t","title":"T","role":"backend","kind":"feature"}\', \'{}\', \'queued\', 1)',
  )
  database.close()
  for (const [at, name] of ['0000-a', '0000-b'].entries()) {
    const copy = `${path}.before-migration-after-${name}`
    writeFiles(folder, { [basename(copy)]: 'old' })
    utimesSync(copy, at, at)
  }
  const store = await toyStore(folder)
  expect(await store.getRun('r1')).toMatchObject({ id: 'r1', state: 'queued', task: { role: 'backend' } })
  expect(await store.migrations()).toEqual(Object.keys(MIGRATIONS))
  expect(
    readdirSync(folder)
      .filter((it) => it.includes('.before-'))
      .toSorted(),
  ).toEqual(['store.db.before-migration-after-0000-b', `store.db.before-migration-after-${second[0]}`].toSorted())
})

it('refuses a store that a newer reeve has written, and says which migration it does not know', async () => {
  const folder = temporaryFolder()
  await (await openStore(folder)).close()
  const { database, path } = rawStore(folder)
  database.exec("insert into kysely_migration(name, timestamp) values ('0099-future', '2099')")
  await expect(openStore(folder)).rejects.toMatchObject({
    code: 'store_newer',
    message: `The store "${path}" was written by a newer reeve: it has had "0099-future".`,
  })
})

it('says which file is no store', async () => {
  const folder = temporaryFolder()
  writeFiles(folder, { 'store.db': 'this is not a database, it is a text of more than a hundred bytes: '.repeat(20) })
  await expect(openStore(folder)).rejects.toThrow(`The store "${join(folder, 'store.db')}" could not be used: file is not a database`)
})

it('refuses a value that the database would silently take for something else', async () => {
  const { db } = rawStore(temporaryFolder())
  await expect(sql`select ${new Date(0)} as value`.execute(db)).rejects.toThrow('A Date cannot be stored')
})

it('writes a backup while it is in use', async () => {
  const folder = temporaryFolder()
  const store = await toyStore(folder)
  const run = await toySubmit(store)
  await store.backup(join(folder, 'copy.db'))
  await toySubmit(store, 'later')
  const copy = new DatabaseSync(join(folder, 'copy.db'), { readOnly: true })
  expect(copy.prepare('select id from runs').all()).toEqual([{ id: run.id }])
  copy.close()
})

it('knows a node as alive exactly while its process holds it', async () => {
  const folder = temporaryFolder()
  const store = await toyStore(folder)
  store.holdNode('n1')
  expect(existsSync(join(folder, 'nodes', 'n1.db'))).toBe(true)
  const run = await toySubmit(store)
  await store.claim(run.id, 'n1')
  expect(await store.recover()).toEqual([])
  store.releaseNode('n1')
  expect(readdirSync(join(folder, 'nodes'))).toEqual([])
  expect(await store.recover()).toEqual([run.id])
})
