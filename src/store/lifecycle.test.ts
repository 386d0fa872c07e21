import { expect, it, onTestFinished } from 'vitest'
import { temporaryFolder } from '../../test/support/folder.ts'
import { toySubmit } from '../../test/support/toy-runs.ts'
import { openStore, type Store } from './open.ts'

async function clockedStore(): Promise<{ store: Store; pass: (ms: number) => void; now: () => number }> {
  let now = 1_000_000
  const store = await openStore(temporaryFolder(), { clock: { now: () => now, sleep: () => Promise.resolve() } })
  onTestFinished(() => store.close())
  return { store, now: () => now, pass: (ms) => void (now += ms) }
}

async function claimed(store: Store, run: string, node = 'n1') {
  const claim = await store.claim(run, node)
  if (!claim) throw new Error(`${run} could not be claimed`)
  return claim
}

it('adds up the time a run was worked on, without the time it waited or lay in the queue', async () => {
  const { store, pass } = await clockedStore()
  const { id } = await toySubmit(store)
  pass(1000)
  const first = await claimed(store, id)
  expect(first.activeMs).toBe(0)
  pass(70)
  await store.park(first, { reason: 'budget', message: 'm', until: null })
  pass(5000)
  await store.resume(id, 'ada')
  const second = await claimed(store, id)
  expect(second.activeMs).toBe(70)
  pass(30)
  await store.handBack(second, 'm')
  pass(400)
  expect((await claimed(store, id)).activeMs).toBe(100)
})

it('counts the time of a process that died up to its last event', async () => {
  const { store, pass } = await clockedStore()
  const { id } = await toySubmit(store)
  const claim = await claimed(store, id, 'dead')
  pass(200)
  await store.append(id, claim.epoch, 'agent.said', {})
  pass(60_000)
  await store.recover()
  expect((await claimed(store, id)).activeMs).toBe(200)
})

it('wakes a parked run when its time has come, if it may be woken here', async () => {
  const { store, pass, now } = await clockedStore()
  const { id } = await toySubmit(store)
  await store.park(await claimed(store, id), { reason: 'quota', message: 'm', until: now() + 100 })
  expect(await store.wakesAt(id)).toBe(now() + 100)
  pass(99)
  await store.wakeDue(() => true)
  expect((await store.getRun(id))?.state).toBe('waiting')
  pass(1)
  await store.wakeDue((run) => run !== id)
  expect((await store.getRun(id))?.state).toBe('waiting')
  await store.wakeDue(() => true)
  expect(await store.getRun(id)).toMatchObject({ state: 'queued', reason: null })
  expect((await store.events(id)).at(-1)).toMatchObject({ type: 'run.woken', data: { by: 'time' } })
})

it('does not park a run for quota when a wake came while it was at work', async () => {
  const { store } = await clockedStore()
  const { id } = await toySubmit(store)
  const claim = await claimed(store, id)
  await store.signal(id, 'wake', {}, 'ada')
  const wait = { reason: 'quota' as const, message: 'm', until: null }
  expect(await store.park(claim, wait)).toBe(false)
  expect((await store.getRun(id))?.state).toBe('running')
  expect(await store.park(claim, wait)).toBe(true)
})

it('starts a run not before the time it was submitted for', async () => {
  const { store, pass, now } = await clockedStore()
  const { id } = await toySubmit(store, 'later', { runAt: now() + 500 })
  expect(await store.queue.queueHeads(null)).toEqual([])
  pass(500)
  expect((await store.queue.queueHeads(null)).map((it) => it.run)).toEqual([id])
})

it('gives events the time of the store', async () => {
  const { store, pass } = await clockedStore()
  const { id } = await toySubmit(store)
  pass(25)
  await store.append(id, null, 'agent.said', {})
  expect((await store.events(id)).map((it) => it.ts)).toEqual([1_000_000, 1_000_025])
})
