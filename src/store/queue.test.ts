import { join } from 'node:path'
import { Kysely } from 'kysely'
import { describe, expect, it, onTestFinished } from 'vitest'
import { temporaryFolder } from '../../test/support/folder.ts'
import { toyStore, toySubmit } from '../../test/support/toy-runs.ts'
import { toyTask } from '../../test/support/toy-task.ts'
import { systemClock } from '../core/clock.ts'
import { newRunIds } from '../core/ids.ts'
import { migrateStore } from './migrate.ts'
import { openStore, type Store } from './open.ts'
import type { SubmitRequest } from './port.ts'
import { MIGRATIONS } from './schema.ts'
import { openDatabase, sqliteDialect } from './sqlite.ts'

const NOW = 1_000_000

async function clockedStore(): Promise<{ store: Store; pass: (ms: number) => void }> {
  let now = NOW
  const store = await openStore(temporaryFolder(), { clock: { now: () => now, sleep: () => Promise.resolve() } })
  onTestFinished(() => store.close())
  return { store, pass: (ms) => void (now += ms) }
}

/** Settings as far as the queue reads them. */
const limitedTo = (max_concurrent: number) => ({ options: { settings: { runs: { max_concurrent } } } })

const none = { max: 100, roles: {}, providers: {} }

describe('limits', () => {
  it('hold over stores that claim at the same time: of all runs, of a project, of a role, of a provider', async () => {
    const folder = temporaryFolder()
    const stores = [await toyStore(folder), await toyStore(folder), await toyStore(folder)]
    const claims = async (ids: string[], limits: Parameters<Store['claim']>[2]) => {
      const made = await Promise.all(ids.map((id, at) => (stores[at % 3] as Store).claim(id, `n${at}`, limits)))
      for (const id of ids) await stores[0]?.cancel(id, 'ada')
      return made.filter((it) => it !== null).length
    }
    const submitted = (extra: Partial<SubmitRequest>) =>
      Promise.all(Array.from({ length: 6 }, async (_, at) => (await toySubmit(stores[0] as Store, `t${at}`, extra)).id))

    expect(await claims(await submitted({}), { ...none, max: 2 })).toBe(2)
    expect(await claims(await submitted(limitedTo(3)), none)).toBe(3)
    expect(await claims(await submitted({ task: toyTask('r', { role: 'backend' }) }), { ...none, roles: { backend: 1 } })).toBe(1)
    expect(await claims(await submitted({ task: toyTask('p', { provider: 'gpu' }) }), { ...none, providers: { gpu: 4, other: 1 } })).toBe(4)
    expect(await claims(await submitted({}), none)).toBe(6)
  })

  it("of a project count its runs only, by each run's own settings", async () => {
    const store = await toyStore()
    const own = await Promise.all([1, 1, 2].map((max, at) => toySubmit(store, `t${at}`, limitedTo(max))))
    const other = await toySubmit(store, 'other', { ...limitedTo(1), project: '/other' })
    const claimed = []
    for (const it of [...own, other]) claimed.push((await store.claim(it.id, 'n')) !== null)
    expect(claimed).toEqual([true, false, true, true])
  })
})

describe('a pause', () => {
  it('holds for a project or for all, in every process, also in those that begin later', async () => {
    const folder = temporaryFolder()
    const first = await openStore(folder)
    const run = await toySubmit(first)
    await first.queue.pauseQueue('/project', 'paused', 'ada')
    await first.queue.pauseQueue('/project', 'draining', 'bob')
    await first.close()

    const store = await toyStore(folder)
    expect(await store.queue.pauses()).toMatchObject([{ scope: '/project', mode: 'draining', actor: 'ada' }])
    expect(await store.queue.queueHeads(null)).toEqual([])
    expect(await store.claim(run.id, 'n1')).toBeNull()
    const other = await toySubmit(store, 'other', { project: '/other' })
    expect((await store.queue.queueHeads(null)).map((it) => it.run)).toEqual([other.id])

    await store.queue.pauseQueue('*', 'paused', 'ada')
    expect(await store.queue.queueHeads(null)).toEqual([])
    expect(await store.claim(other.id, 'n1')).toBeNull()
    expect(await store.queue.resumeQueue('*')).toBe(true)
    expect(await store.queue.resumeQueue('*'), 'again').toBe(false)
    expect(await store.claim(other.id, 'n1')).not.toBeNull()
    expect(await store.claim(run.id, 'n1'), 'its project is still paused').toBeNull()
    await store.queue.resumeQueue('/project')
    expect(await store.claim(run.id, 'n1')).not.toBeNull()
  })
})

describe('a run that is held back', () => {
  it('is looked at again after its time, or when it is released, and other processes may begin it', async () => {
    const { store, pass } = await clockedStore()
    const { id } = await toySubmit(store)
    await store.queue.holdRun(id, 'it needs KEY', 500)
    expect(await store.queue.queueHeads(null)).toEqual([])
    expect(
      (await store.queue.queueHeads([id])).map((it) => it.run),
      'a process that was given it',
    ).toEqual([id])
    expect(await store.queue.queuedRuns()).toMatchObject([{ run: id, held: 'it needs KEY' }])
    expect(await store.nextDue(), 'when the engine looks again').toBe(500)
    pass(500)
    expect((await store.queue.queueHeads(null)).map((it) => it.run)).toEqual([id])
    await store.queue.holdRun(id, 'it needs KEY', 500)
    await store.queue.releaseHolds([id, 'other'])
    expect((await store.queue.queueHeads(null)).map((it) => it.run)).toEqual([id])
    await store.queue.holdRun(id, 'it needs KEY', 500)
    await store.claim(id, 'n1')
    expect((await store.getRun(id))?.held, 'at work').toBeNull()
  })
})

describe('what happens next by itself', () => {
  it('is the first start or wake; nothing where somebody has to do something', async () => {
    const { store, pass } = await clockedStore()
    expect(await store.nextWake()).toBeNull()
    const later = await toySubmit(store, 'later', { runAt: NOW + 5000 })
    expect(await store.nextWake()).toBe(NOW + 5000)
    const parked = await toySubmit(store, 'parked')
    expect(await store.nextWake(), 'it may begin').toBe(NOW)
    const claim = await store.claim(parked.id, 'n1')
    if (!claim) throw new Error('not claimed')
    await store.park(claim, { reason: 'quota', message: 'm', until: NOW + 300 })
    expect(await store.nextWake()).toBe(NOW + 300)
    await store.cancel(parked.id, 'ada')
    pass(6000)
    expect(await store.nextWake()).toBe(NOW + 6000)
    await store.queue.holdRun(later.id, 'it needs KEY', 100)
    expect(await store.nextWake(), 'a key has to be brought').toBeNull()
    await store.queue.releaseHolds(null)
    await store.queue.pauseQueue('/project', 'paused', 'ada')
    expect(await store.nextWake(), 'paused').toBeNull()
  })
})

it('changes the priority of a run once, and says who did', async () => {
  const store = await toyStore()
  const run = await toySubmit(store)
  expect((await store.prioritize(run.id, 7, 'ada')).priority).toBe(7)
  await store.prioritize(run.id, 7, 'bob')
  const events = await store.eventsOfType(run.id, ['run.prioritized'])
  expect(events.map((it) => it.data)).toEqual([{ actor: 'ada', priority: 7, before: 0 }])
  await store.cancel(run.id, 'ada')
  await expect(store.prioritize(run.id, 1, 'ada')).rejects.toMatchObject({ code: 'wrong_state' })
  await expect(store.prioritize('rnone', 1, 'ada')).rejects.toMatchObject({ code: 'run_not_found' })
})

describe('many at once', () => {
  it('are all queued or none, each able to depend on those before it', async () => {
    const store = await toyStore()
    const [a = '', b = '', c = ''] = newRunIds(Date.now(), 3)
    const request = (id: string, dependsOn: string[]): SubmitRequest => ({
      ...{ id, dependsOn, task: toyTask(`t-${id}`), project: '/project', workflow: 'toy', options: {} },
    })
    await expect(store.submitAll([request(a, []), request(b, ['rnone'])])).rejects.toMatchObject({ code: 'run_not_found' })
    expect(await store.listRuns()).toEqual([])
    const rows = await store.submitAll([request(a, []), request(b, [a]), request(c, [a, b])])
    expect(rows.map(({ row }) => [row.id, row.state])).toEqual([
      [a, 'queued'],
      [b, 'waiting'],
      [c, 'waiting'],
    ])
  })

  it('find those that are there by their keys, and depend on them', async () => {
    const store = await toyStore()
    const ask = () => {
      const [a = '', b = ''] = newRunIds(Date.now(), 2)
      const common = { project: '/project', workflow: 'toy', options: {} }
      return store.submitAll([
        { ...common, id: a, task: toyTask('a'), clientKey: 'k/a' },
        { ...common, id: b, task: toyTask('b'), clientKey: 'k/b', dependsOn: [a] },
      ])
    }
    const first = await ask()
    const again = await ask()
    expect(again.map((it) => [it.row.id, it.created])).toEqual(first.map((it) => [it.row.id, false]))
    expect(await store.dependenciesOf(first[1]?.row.id ?? '')).toEqual([first[0]?.row.id])
  })

  it('have ids in their order, each its own', () => {
    const ids = newRunIds(NOW, 2000)
    expect(ids).toEqual([...new Set(ids)].toSorted((a, b) => (a < b ? -1 : 1)))
    expect(ids).toHaveLength(2000)
  })
})

it('knows the tasks whose last run has failed', async () => {
  const { store, pass } = await clockedStore()
  const fail = async (task: string, project = '/project') => {
    pass(10)
    const run = await toySubmit(store, task, { project })
    const claim = await store.claim(run.id, 'n1')
    if (claim) await store.finish(claim, { status: 'failed', reason: 'gates', message: 'no' })
    return run.id
  }
  await fail('again')
  const old = await fail('old')
  pass(1000)
  const again = await fail('again')
  await fail('elsewhere', '/other')
  const retried = await fail('retried')
  pass(10)
  await toySubmit(store, 'retried')
  expect(await store.failedForGood('/project', 0)).toEqual([old, again])
  expect(await store.failedForGood('/project', NOW + 500)).toEqual([again])
  const newest = await store.newestOfTasks('/project', ['old', 'retried', 'none'])
  expect([...newest.keys()]).toEqual(['old', 'retried'])
  expect(newest.get('old')).toBe(old)
  expect(newest.get('retried')).not.toBe(retried)
})

it('says how long runs of a project take, by workflow', async () => {
  const { store, pass } = await clockedStore()
  for (const [ms, workflow] of [
    [10, 'direct'],
    [30, 'direct'],
    [20, 'direct'],
    [900, 'direct'],
    [50, 'build'],
  ] as const) {
    // biome-ignore format: a table
    const run = await toySubmit(store, 't', { workflow })
    const claim = await store.claim(run.id, 'n1')
    pass(ms)
    if (claim) await store.finish(claim, ms === 900 ? { status: 'failed', reason: 'gates', message: 'no' } : { status: 'succeeded' })
  }
  expect(await store.durations('/project')).toEqual(
    new Map([
      ['direct', { runs: 3, medianMs: 20, p90Ms: 30 }],
      ['build', { runs: 1, medianMs: 50, p90Ms: 50 }],
    ]),
  )
  expect(await store.durations('/other')).toEqual(new Map())
})

it('counts runs of a store that an older reeve has written', async () => {
  const folder = temporaryFolder()
  const before = Object.fromEntries(Object.entries(MIGRATIONS).filter(([name]) => name < '0004'))
  const path = join(folder, 'store.db')
  const database = openDatabase(path)
  const db = new Kysely<unknown>({ dialect: sqliteDialect(database, systemClock) })
  await migrateStore({ path, database, db, clock: systemClock }, before)
  const [task, options] = [toyTask('old', { role: 'backend', provider: 'gpu' }), limitedTo(1).options].map((it) => JSON.stringify(it))
  const insert = database.prepare(
    `insert into runs(id, workflow, project, task, options, state, created_at) values (?, 'toy', '/project', ?, ?, 'queued', 1)`,
  )
  for (const id of ['r1', 'r2']) insert.run(id, task ?? '', options ?? '')
  await db.destroy()

  const store = await toyStore(folder)
  expect(await store.queue.queueHeads(null)).toMatchObject([{ run: 'r1', role: 'backend', provider: 'gpu', projectLimit: 1 }])
  expect(await store.claim('r1', 'n')).not.toBeNull()
  expect(await store.claim('r2', 'n')).toBeNull()
  expect((await store.newestOfTasks('/project', ['old'])).get('old')).toBe('r2')
})
