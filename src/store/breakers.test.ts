import { expect, it, onTestFinished } from 'vitest'
import { temporaryFolder } from '../../test/support/folder.ts'
import { toySubmit } from '../../test/support/toy-runs.ts'
import { openStore } from './open.ts'

const DOWN = { class: 'network', problem: 'refused', openMs: null, retryMs: null, threshold: 3, recoveryMs: 60_000 }
const QUOTA = { class: 'quota', problem: 'used up', openMs: 3_600_000, retryMs: 60_000, threshold: 3, recoveryMs: 60_000 }

async function clockedStore() {
  const clock = { time: 1_000_000, now: () => clock.time, sleep: () => Promise.resolve() }
  const folder = temporaryFolder()
  const store = await openStore(folder, { clock })
  onTestFinished(() => store.close())
  return { clock, store, folder }
}

it('leaves a provider alone after so many failures in a row, counted over processes', async () => {
  const { clock, store, folder } = await clockedStore()
  const other = await openStore(folder, { clock })
  onTestFinished(() => other.close())
  expect(await store.routing.breakers(['p'])).toEqual([])
  expect(await store.routing.breakerFailed('p', DOWN)).toMatchObject({ failures: 1, openFor: null })
  expect(await other.routing.breakerFailed('p', DOWN)).toMatchObject({ failures: 2, openFor: null })
  expect(await store.routing.breakerFailed('p', DOWN)).toMatchObject({ failures: 3, openFor: 60_000, class: 'network', problem: 'refused' })
  clock.time += 10_000
  expect(await store.routing.breakerFailed('p', DOWN), 'a late one does not make it longer').toMatchObject({ openFor: 50_000 })
  expect(await other.routing.breakers(['p', 'q'])).toMatchObject([{ key: 'p', openFor: 50_000 }])
})

it('forgets everything at an answer, and old failures by itself', async () => {
  const { clock, store } = await clockedStore()
  await store.routing.breakerFailed('p', DOWN)
  await store.routing.breakerFailed('p', DOWN)
  expect(await store.routing.breakerClosed('p')).toBe(true)
  expect(await store.routing.breakerClosed('p')).toBe(false)
  expect(await store.routing.breakerFailed('p', DOWN)).toMatchObject({ failures: 1 })
  clock.time += 2 * 3_600_000
  expect(await store.routing.breakerFailed('p', DOWN)).toMatchObject({ failures: 1 })
})

it('leaves it alone at once where the class says so, for the longer of two times', async () => {
  const { clock, store } = await clockedStore()
  expect(await store.routing.breakerFailed('p', QUOTA)).toMatchObject({ openFor: 3_600_000, retryIn: 60_000, class: 'quota' })
  clock.time += 1000
  expect(await store.routing.breakerFailed('p', { ...QUOTA, openMs: 1000 })).toMatchObject({ openFor: 3_599_000 })
})

it('lets one try when the time is over, and closes again when that fails', async () => {
  const { clock, store } = await clockedStore()
  for (let at = 0; at < 3; at++) await store.routing.breakerFailed('p', DOWN)
  expect(await store.routing.takeProbe('p', 'r1/a', 30_000), 'too early').toBe(false)
  clock.time += 60_000
  const tries = await Promise.all(['r1/a', 'r2/a', 'r3/a'].map((it) => store.routing.takeProbe('p', it, 30_000)))
  expect(tries.filter(Boolean)).toHaveLength(1)
  expect(await store.routing.breakers(['p'])).toMatchObject([{ triedFor: 30_000, openFor: 0 }])
  expect(await store.routing.breakerFailed('p', DOWN)).toMatchObject({ openFor: 60_000, failures: 4, triedFor: -clock.time })
})

it('lets the next try when a try came to nothing, or its run died, or it takes too long', async () => {
  const { clock, store } = await clockedStore()
  for (let at = 0; at < 3; at++) await store.routing.breakerFailed('p', DOWN)
  clock.time += 60_000
  expect(await store.routing.takeProbe('p', 'r1/a', 30_000)).toBe(true)
  expect(await store.routing.takeProbe('p', 'r2/a', 30_000)).toBe(false)
  await store.routing.freeProbe('p', 'r2/a')
  expect(await store.routing.takeProbe('p', 'r2/a', 30_000), 'only its holder gives it back').toBe(false)
  await store.routing.freeProbe('p', 'r1/a')
  expect(await store.routing.takeProbe('p', 'r2/a', 30_000)).toBe(true)
  clock.time += 30_000
  const run = await toySubmit(store)
  await store.claim(run.id, 'dead')
  expect(await store.routing.takeProbe('p', `${run.id}/a`, 30_000)).toBe(true)
  await store.recover()
  expect(await store.routing.takeProbe('p', 'r4/a', 30_000)).toBe(true)
})
