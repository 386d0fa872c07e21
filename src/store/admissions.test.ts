import { describe, expect, it, onTestFinished } from 'vitest'
import { temporaryFolder } from '../../test/support/folder.ts'
import { toyStore, toySubmit } from '../../test/support/toy-runs.ts'
import { type AdmissionRules, type KnownRequest, refusedBy } from './admissions.ts'
import { openStore } from './open.ts'

const ANY: AdmissionRules = { concurrent: null, windows: [] }
const request = (holder: string, tokens = 0, ttlMs = 60_000) => ({ holder, tokens, ttlMs })

async function clockedStore() {
  const clock = { time: 1_000_000, now: () => clock.time, sleep: () => Promise.resolve() }
  const store = await openStore(temporaryFolder(), { clock })
  onTestFinished(() => store.close())
  return { clock, store }
}

describe('requests to an account', () => {
  it('are never more at the same time than allowed, over several processes', async () => {
    const folder = temporaryFolder()
    const stores = [await toyStore(folder), await toyStore(folder), await toyStore(folder)]
    const rules = { ...ANY, concurrent: 4 }
    const asked = await Promise.all(
      stores.flatMap((store, s) => Array.from({ length: 4 }, (_, at) => store.routing.admit('a', request(`r${s}/${at}`), rules))),
    )
    expect(asked.filter((it) => it === true)).toHaveLength(4)
    for (const refused of asked.filter((it) => it !== true)) expect(refused.why).toBe('concurrent')
  })

  it('are never more in any stretch of a minute than allowed, whenever they come', async () => {
    const { clock, store } = await clockedStore()
    const rules = { ...ANY, windows: [{ ms: 60_000, requests: 5, tokens: null }] }
    const gone: number[] = []
    for (let at = 0; at < 300; at++) {
      if ((await store.routing.admit('a', request(`r/${at}`), rules)) === true) {
        gone.push(clock.time)
        await store.routing.endAdmission('a', `r/${at}`, null)
      }
      clock.time += 777
    }
    for (const from of gone) expect(gone.filter((it) => it >= from && it < from + 60_000).length).toBeLessThanOrEqual(5)
    expect(gone.length, 'and no fewer than could be').toBeGreaterThanOrEqual(15)
  })

  it('say when they may go: when the oldest leaves the window', async () => {
    const { clock, store } = await clockedStore()
    const rules = { ...ANY, windows: [{ ms: 60_000, requests: 2, tokens: null }] }
    expect(await store.routing.admit('a', request('r/1'), rules)).toBe(true)
    clock.time += 20_000
    expect(await store.routing.admit('a', request('r/2'), rules)).toBe(true)
    clock.time += 10_000
    expect(await store.routing.admit('a', request('r/3'), rules)).toEqual({ retryInMs: 30_000, why: 'requests' })
    clock.time += 30_000
    expect(await store.routing.admit('a', request('r/3'), rules)).toBe(true)
    expect(await store.routing.admit('b', request('r/4'), rules), 'another account').toBe(true)
  })

  it('give back what they reserved and did not use', async () => {
    const { clock, store } = await clockedStore()
    const rules = { ...ANY, windows: [{ ms: 60_000, requests: null, tokens: 1000 }] }
    expect(await store.routing.admit('a', request('r/1', 900), rules)).toBe(true)
    clock.time += 90_000
    expect(await store.routing.admit('a', request('r/2', 200), rules), 'it was at work a moment ago').toMatchObject({ why: 'tokens' })
    await store.routing.renewAdmission('a', 'r/1', 60_000)
    await store.routing.endAdmission('a', 'r/1', 300)
    expect(await store.routing.admit('a', request('r/2', 700), rules)).toBe(true)
  })

  it('larger than a limit go alone', () => {
    const rules = { ...ANY, windows: [{ ms: 60_000, requests: null, tokens: 100 }] }
    expect(refusedBy([], 500, rules)).toBeNull()
    expect(refusedBy([{ age: 5000, left: -1000, tokens: 10 }], 500, rules)).toEqual({ retryInMs: 59_000, why: 'tokens' })
  })

  it('wait until enough tokens have left the window, not only the first', () => {
    const known: KnownRequest[] = [
      { age: 50_000, left: -50_000, tokens: 10 },
      { age: 40_000, left: -40_000, tokens: 60 },
      { age: 1000, left: -500, tokens: 20 },
    ]
    const rules = { ...ANY, windows: [{ ms: 60_000, requests: null, tokens: 100 }] }
    expect(refusedBy(known, 11, rules)).toEqual({ retryInMs: 10_000, why: 'tokens' })
    expect(refusedBy(known, 40, rules)).toEqual({ retryInMs: 20_000, why: 'tokens' })
  })

  it('go to nobody while the account is closed; the longer closing holds', async () => {
    const { clock, store } = await clockedStore()
    await store.routing.closeAccount('a', 20_000)
    await store.routing.closeAccount('a', 5000)
    expect(await store.routing.admit('a', request('r/1'), ANY)).toEqual({ retryInMs: 20_000, why: 'closed' })
    expect(await store.routing.admit('b', request('r/1'), ANY)).toBe(true)
    clock.time += 20_000
    expect(await store.routing.admit('a', request('r/1'), ANY)).toBe(true)
  })

  it('of a process that died end when its run is put back, and expire in any case', async () => {
    const store = await toyStore()
    const rules = { ...ANY, concurrent: 1 }
    const run = await toySubmit(store)
    await store.claim(run.id, 'dead')
    await store.routing.admit('a', request(`${run.id}/step/1`, 0, 3_600_000), rules)
    expect(await store.routing.admit('a', request('r/other'), rules)).not.toBe(true)
    await store.recover()
    expect(await store.routing.admit('a', request('r/other'), rules)).toBe(true)
  })

  it('that gave no sign of life for too long are told so, and count again', async () => {
    const { clock, store } = await clockedStore()
    const rules = { ...ANY, concurrent: 1 }
    await store.routing.admit('a', request('r/1', 0, 1000), rules)
    clock.time += 999
    expect(await store.routing.renewAdmission('a', 'r/1', 1000)).toBe(true)
    clock.time += 1000
    expect(await store.routing.renewAdmission('a', 'r/1', 1000)).toBe(false)
    expect(await store.routing.admit('a', request('r/2'), rules)).toMatchObject({ why: 'concurrent' })
  })
})
