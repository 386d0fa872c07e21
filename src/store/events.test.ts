import { expect, it } from 'vitest'
import { temporaryFolder } from '../../test/support/folder.ts'
import { soon, toyStore, toySubmit } from '../../test/support/toy-runs.ts'
import type { Store } from './open.ts'

async function collect(store: Store, run: string, after = 0): Promise<number[]> {
  const seen: number[] = []
  for await (const event of store.tail(run, after, soon())) seen.push(event.seq)
  return seen
}

const upTo = (n: number) => Array.from({ length: n }, (_, at) => at + 1)

it('delivers every event once and in order to watchers of this and of another process, and ends with the run', async () => {
  const folder = temporaryFolder()
  const [writer, other] = [await toyStore(folder), await toyStore(folder)]
  const run = await toySubmit(writer)
  const tails = [collect(writer, run.id), collect(other, run.id), collect(writer, run.id)]
  for (let at = 0; at < 200; at++) await writer.append(run.id, null, 'agent.said', { at })
  await writer.cancel(run.id, 'ada')
  const expected = upTo(202)
  for (const tail of tails) expect(await tail).toEqual(expected)
  expect(await collect(other, run.id)).toEqual(expected)
})

it('gives each event to all who follow, also when nothing comes after it', async () => {
  const store = await toyStore()
  const run = await toySubmit(store)
  const stop = new AbortController()
  const seen = Array.from({ length: 10 }, () => 0)
  const tails = seen.map(async (_, reader) => {
    for await (const event of store.tail(run.id, 0, stop.signal)) seen[reader] = event.seq
  })
  for (let at = 1; at <= 5; at++) {
    await expect.poll(() => seen).toEqual(Array.from(seen, () => at))
    await store.append(run.id, null, 'agent.said', {})
  }
  stop.abort()
  await Promise.all(tails)
})

it('can be cut anywhere and resumed with the last number', async () => {
  const store = await toyStore()
  const run = await toySubmit(store)
  const writing = (async () => {
    for (let at = 0; at < 120; at++) await store.append(run.id, null, 'agent.said', { at })
    await store.cancel(run.id, 'ada')
  })()
  const seen: number[] = []
  let ended = false
  while (!ended) {
    ended = true
    for await (const event of store.tail(run.id, seen.at(-1) ?? 0, soon())) {
      seen.push(event.seq)
      if (seen.length % 7 !== 0) continue
      ended = false
      break
    }
  }
  await writing
  expect(seen).toEqual(upTo(122))
})

it('gives each event its own number when many write at once', async () => {
  const folder = temporaryFolder()
  const stores = [await toyStore(folder), await toyStore(folder)]
  const run = await toySubmit(stores[0] as Store)
  await Promise.all(stores.flatMap((store) => Array.from({ length: 40 }, () => store.append(run.id, null, 'agent.said', {}))))
  expect((await (stores[0] as Store).events(run.id)).map((it) => it.seq)).toEqual(upTo(81))
})

it('pages through events', async () => {
  const store = await toyStore()
  const run = await toySubmit(store)
  for (let at = 0; at < 9; at++) await store.append(run.id, null, 'agent.said', { at })
  expect((await store.events(run.id, 3, 4)).map((it) => it.seq)).toEqual([4, 5, 6, 7])
  expect(await store.events(run.id, 10)).toEqual([])
})

it('stops at once when its reader has had enough', async () => {
  const store = await toyStore()
  const run = await toySubmit(store)
  const stop = new AbortController()
  const tail = (async () => {
    for await (const event of store.tail(run.id, 0, stop.signal)) expect(event.seq).toBe(1)
  })()
  await store.events(run.id)
  stop.abort()
  await tail
})

it('refuses to follow a run that does not exist', async () => {
  const store = await toyStore()
  await expect(collect(store, 'rnone')).rejects.toThrow('No run "rnone".')
})

it('adds up what finished and failed steps have used', async () => {
  const store = await toyStore()
  const run = await toySubmit(store)
  const usage = { inputTokens: 10, outputTokens: 5, cachedInputTokens: 1, requests: 1 }
  await store.append(run.id, null, 'step.finished', { step: 'a', usage, cost: 0.25 })
  await store.append(run.id, null, 'step.failed', { step: 'b', usage, cost: 0.5 })
  await store.append(run.id, null, 'step.finished', { step: 'c' })
  expect(await store.spend(run.id)).toEqual({
    usage: { inputTokens: 20, outputTokens: 10, cachedInputTokens: 2, requests: 2 },
    cost: 0.75,
    charged: 0.75,
  })
  await store.append(run.id, null, 'step.finished', { step: 'd', usage, cost: null })
  expect((await store.spend(run.id)).cost).toBeNull()
})
