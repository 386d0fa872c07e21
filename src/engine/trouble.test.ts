import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { Kysely, sql } from 'kysely'
import { expect, it, onTestFinished } from 'vitest'
import { temporaryFolder } from '../../test/support/folder.ts'
import { soon, toyEngine, toyStore, toySubmit } from '../../test/support/toy-runs.ts'
import { type Clock, systemClock } from '../core/clock.ts'
import { createHub } from '../store/hub.ts'
import { Store } from '../store/open.ts'
import { otherWriters } from '../store/others.ts'
import type { Tables } from '../store/schema.ts'
import { openDatabase, sqliteDialect } from '../store/sqlite.ts'
import { createEngine } from './engine.ts'
import type { RunEnd } from './port.ts'
import { ABORT_GRACE_MS } from './step.ts'

const done: RunEnd = { status: 'succeeded' }

const databaseTime = () => sql<number>`cast(unixepoch('subsec') * 1000 as integer)`

/** A store whose database handle the test holds too, to make it fail. */
async function fragileStore(folder: string): Promise<{ store: Store; database: DatabaseSync }> {
  await (await toyStore(folder)).listRuns()
  const database = openDatabase(join(folder, 'store.db'))
  const db = new Kysely<Tables>({ dialect: sqliteDialect(database, systemClock) })
  onTestFinished(() => {
    if (database.isOpen) database.close()
  })
  return {
    store: new Store({
      folder,
      database,
      db,
      clock: systemClock,
      hub: createHub(systemClock, otherWriters(database, db)),
      now: databaseTime,
    }),
    database,
  }
}

it('fails a run whose result finds no room on the disk, and says that', async () => {
  const { store, database } = await fragileStore(temporaryFolder())
  const engine = await toyEngine(store, {
    toy: async (run) => {
      await run.step({ name: 'big', kind: 'agent', input: null }, async () => {
        // Not smaller than it is: whatever needs another page fails.
        database.exec('pragma max_page_count=1')
        return 'x'.repeat(100_000)
      })
      return done
    },
  })
  const run = await toySubmit(store)
  expect(await engine.waitFor(run.id, soon())).toMatchObject({ state: 'failed', reason: 'error', message: 'database or disk is full' })
  expect(await store.steps(run.id)).toEqual([])
})

it('tells those who wait when nothing can be written, and goes on when it can be again', async () => {
  const folder = temporaryFolder()
  const { store, database } = await fragileStore(folder)
  let broken = true
  const engine = await toyEngine(store, {
    toy: async (run) => {
      await run.step({ name: 'a', kind: 'agent', input: null }, async () => {
        if (broken) database.exec('pragma query_only=1')
        return 1
      })
      return done
    },
  })
  const run = await toySubmit(store)
  await expect(engine.waitFor(run.id, soon())).rejects.toThrow(
    `The store "${folder}" could not be used: attempt to write a readonly database`,
  )
  expect(engine.problem()).toMatch(/^looking for work has failed \d+ times in a row$/)
  broken = false
  database.exec('pragma query_only=0')
  const row = await untilAnswered(() => engine.waitFor(run.id, soon()))
  expect(row).toMatchObject({ state: 'succeeded', crashes: 0 })
  expect(engine.problem()).toBeNull()
})

async function untilAnswered<T>(fn: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await fn()
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}

it('takes up again a run that its own process has lost sight of', async () => {
  const store = await toyStore()
  const engine = await toyEngine(store, { toy: async () => done }, { only: { only: new Set() } })
  const run = await toySubmit(store)
  await store.claim(run.id, engine.node)
  engine.add(run.id)
  expect((await engine.waitFor(run.id, soon())).state).toBe('succeeded')
  expect(await store.eventsOfType(run.id, ['run.interrupted'])).toHaveLength(1)
})

it('does not wait for ever for a step that ignores its abort', async () => {
  const clock: Clock = { now: () => Date.now(), sleep: (ms, signal) => systemClock.sleep(ms === ABORT_GRACE_MS ? 30 : ms, signal) }
  const store = await toyStore()
  const begun = Promise.withResolvers<void>()
  const engine = createEngine({
    store,
    clock,
    workflows: {
      toy: async (run) => {
        await run.step({ name: 'deaf', kind: 'agent', input: null }, (it) => {
          it.charge({ inputTokens: 1, outputTokens: 0, cachedInputTokens: 0, requests: 1 }, 0.25)
          begun.resolve()
          return new Promise<null>(() => undefined)
        })
        return done
      },
    },
  })
  await engine.start()
  const run = await toySubmit(store)
  await begun.promise
  await engine.stop()
  expect((await store.getRun(run.id))?.state).toBe('queued')
  expect((await store.spend(run.id)).cost).toBe(0.25)
})

it('ends a run whose workflow waits for nothing after its steps were aborted', async () => {
  const clock: Clock = { now: () => Date.now(), sleep: (ms, signal) => systemClock.sleep(ms === ABORT_GRACE_MS ? 30 : ms, signal) }
  const store = await toyStore()
  const engine = await toyEngine(store, { toy: () => new Promise<RunEnd>(() => undefined) }, { clock })
  const run = await toySubmit(store, 'idle', { options: { timeoutMs: 50 } })
  expect(await engine.waitFor(run.id, soon())).toMatchObject({ state: 'failed', reason: 'timeout' })
})
