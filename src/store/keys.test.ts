import { expect, it, onTestFinished } from 'vitest'
import { temporaryFolder } from '../../test/support/folder.ts'
import type { NewKey } from './keys.ts'
import { openStore } from './open.ts'

const KEY: NewKey = { id: 'abcd2345', name: 'ci', digest: 'd', role: 'operator', projects: ['/p'], createdBy: 'ada', expiresInMs: 60_000 }

async function clockedStore() {
  const clock = { time: 1_000_000, now: () => clock.time, sleep: () => Promise.resolve() }
  const store = await openStore(temporaryFolder(), { clock })
  onTestFinished(() => store.close())
  return { clock, store }
}

it('keeps what a key may do, and ends it at its time and when it is revoked', async () => {
  const { clock, store } = await clockedStore()
  const made = { id: 'abcd2345', name: 'ci', role: 'operator', projects: ['/p'], createdBy: 'ada' }
  expect(await store.access.addKey(KEY)).toEqual({
    ...made,
    createdAt: 1_000_000,
    expiresAt: 1_060_000,
    lastUsedAt: null,
    state: 'live',
  })
  expect(await store.access.findKey('abcd2345')).toMatchObject({ digest: 'd', key: { state: 'live' } })
  clock.time += 60_000
  expect(await store.access.findKey('abcd2345'), 'its time is over').toMatchObject({ key: { state: 'expired' } })
  expect(await store.access.revokeKey('abcd2345')).toMatchObject({ state: 'revoked' })
  expect(await store.access.revokeKey('abcd2345'), 'a second time').toBeNull()
  expect(await store.access.findKey('none')).toBeNull()
})

it('has one live key of a name; a name is free again when its key has ended', async () => {
  const { clock, store } = await clockedStore()
  await store.access.addKey(KEY)
  expect(await store.access.addKey({ ...KEY, id: 'second00' })).toBeNull()
  clock.time += 60_000
  expect(await store.access.addKey({ ...KEY, id: 'second00', projects: null, expiresInMs: null })).toMatchObject({
    projects: null,
    expiresAt: null,
  })
  await store.access.revokeKey('second00')
  expect(await store.access.addKey({ ...KEY, id: 'third000' })).not.toBeNull()
  expect((await store.access.listKeys()).map((it) => `${it.id} ${it.state}`)).toEqual([
    'second00 revoked',
    'third000 live',
    'abcd2345 expired',
  ])
})

it('writes that a key is in use once a minute at most', async () => {
  const { clock, store } = await clockedStore()
  await store.access.addKey({ ...KEY, expiresInMs: null })
  const lastUse = async () => (await store.access.findKey(KEY.id))?.key.lastUsedAt
  await store.access.keyUsed(KEY.id)
  expect(await lastUse()).toBe(1_000_000)
  clock.time += 59_999
  await store.access.keyUsed(KEY.id)
  expect(await lastUse()).toBe(1_000_000)
  clock.time += 1
  await store.access.keyUsed(KEY.id)
  expect(await lastUse()).toBe(1_060_000)
})
