import { expect, it } from 'vitest'
import { temporaryFolder } from '../../test/support/folder.ts'
import { toyStore } from '../../test/support/toy-runs.ts'
import { toyTask } from '../../test/support/toy-task.ts'
import { openStore } from './open.ts'

it('never gives more slots than the limit, over several stores', async () => {
  const folder = temporaryFolder()
  const stores = [await toyStore(folder), await toyStore(folder), await toyStore(folder)]
  await stores[0]?.setLimit('account', 4)
  const taken = await Promise.all(
    stores.flatMap((store, s) => Array.from({ length: 4 }, (_, at) => store.takeSlot('account', `n${s}/${at}`, 60_000))),
  )
  expect(taken.filter((it) => it === true)).toHaveLength(4)
  for (const refused of taken.filter((it) => it !== true)) expect(refused.retryInMs).toBeGreaterThan(50_000)
})

it('gives a holder the slot it has already, and others the one that is freed', async () => {
  const store = await toyStore()
  await store.setLimit('k', 1)
  expect(await store.takeSlot('k', 'a', 60_000)).toBe(true)
  expect(await store.takeSlot('k', 'a', 60_000)).toBe(true)
  expect(await store.takeSlot('k', 'b', 60_000)).not.toBe(true)
  await store.freeSlot('k', 'a')
  expect(await store.takeSlot('k', 'b', 60_000)).toBe(true)
})

it('takes an expired slot back, and tells its holder when it renews', async () => {
  let now = 1_000_000
  const clock = { now: () => now, sleep: () => Promise.resolve() }
  const store = await openStore(temporaryFolder(), { clock })
  await store.setLimit('k', 1)
  expect(await store.takeSlot('k', 'a', 100)).toBe(true)
  now += 60
  expect(await store.renewSlot('k', 'a', 100)).toBe(true)
  now += 99
  expect(await store.takeSlot('k', 'b', 100)).toEqual({ retryInMs: 1 })
  now += 1
  expect(await store.renewSlot('k', 'a', 100)).toBe(false)
  expect(await store.takeSlot('k', 'b', 100)).toBe(true)
  await store.close()
})

it('has no limit where none was set, and follows a change', async () => {
  const store = await toyStore()
  expect(await store.takeSlot('free', 'a', 1000)).toBe(true)
  await store.setLimit('k', 0)
  expect(await store.takeSlot('k', 'a', 1000)).toEqual({ retryInMs: 1000 })
  await store.setLimit('k', 1)
  expect(await store.takeSlot('k', 'a', 1000)).toBe(true)
})

it('frees the slots of a node that has died', async () => {
  const store = await toyStore()
  await store.setLimit('runs', 1)
  const { row } = await store.submit({ task: toyTask('t'), project: '/p', workflow: 'toy', options: {} })
  await store.takeSlot('runs', `dead/${row.id}`, 3_600_000)
  await store.claim(row.id, 'dead')
  expect(await store.takeSlot('runs', 'alive/other', 1000)).not.toBe(true)
  await store.recover()
  expect(await store.takeSlot('runs', 'alive/other', 1000)).toBe(true)
})
