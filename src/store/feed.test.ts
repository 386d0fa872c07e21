import { expect, it } from 'vitest'
import { temporaryFolder } from '../../test/support/folder.ts'
import { soon, toyStore, toySubmit } from '../../test/support/toy-runs.ts'
import type { FeedEvent } from '../core/event.ts'
import type { FeedOptions } from './feed.ts'
import type { Store } from './open.ts'

/** Follows until so many have come. */
async function take(store: Store, count: number, options: Partial<FeedOptions> = {}): Promise<FeedEvent[]> {
  const seen: FeedEvent[] = []
  for await (const event of store.feed({ after: 0, signal: soon(), ...options })) {
    seen.push(event)
    if (seen.length === count) break
  }
  return seen
}

const names = (events: readonly FeedEvent[]) => events.map((it) => `${it.run} ${it.seq}`)

it('gives the events of all runs to all who follow, alike and in order, whichever process writes', async () => {
  const folder = temporaryFolder()
  const [here, there] = [await toyStore(folder), await toyStore(folder)]
  const first = await toySubmit(here)
  const feeds = [...Array.from({ length: 10 }, () => take(here, 122)), take(there, 122)]
  const second = await toySubmit(there)
  await Promise.all(
    [here, there].map(async (store) => {
      for (let at = 0; at < 30; at++) for (const { id } of [first, second]) await store.append(id, null, 'agent.said', { at })
    }),
  )
  const [expected = [], ...others] = await Promise.all(feeds)
  expect(new Set(names(expected)).size).toBe(122)
  for (const { id } of [first, second])
    expect(expected.filter((it) => it.run === id).map((it) => it.seq)).toEqual(Array.from({ length: 61 }, (_, at) => at + 1))
  expect(expected.map((it) => it.position)).toEqual(expected.map((it) => it.position).toSorted((a, b) => a - b))
  for (const other of others) expect(other).toEqual(expected)
})

it('goes on after a position, cut anywhere, while runs are at work', async () => {
  const store = await toyStore()
  const run = await toySubmit(store)
  const writing = (async () => {
    for (let at = 0; at < 150; at++) await store.append(run.id, null, 'agent.said', { at })
  })()
  const seen: FeedEvent[] = []
  while (seen.length < 151) seen.push(...(await take(store, Math.min(7, 151 - seen.length), { after: seen.at(-1)?.position ?? 0 })))
  await writing
  expect(seen.map((it) => it.seq)).toEqual(Array.from({ length: 151 }, (_, at) => at + 1))
})

it('gives only what is asked for: of projects, of runs, of types', async () => {
  const store = await toyStore()
  const [mine, other] = [await toySubmit(store), await toySubmit(store, 'b', { project: '/other' })]
  for (let at = 0; at < 600; at++) await store.append(mine.id, null, 'agent.said', { at })
  await store.cancel(other.id, 'ada')
  await store.cancel(mine.id, 'ada')
  const all = async (options: Partial<FeedOptions>) => {
    const seen: string[] = []
    for await (const it of store.feed({ after: 0, signal: soon(), follow: false, ...options })) seen.push(`${it.project} ${it.type}`)
    return seen
  }
  expect(await all({ projects: ['/other'] })).toEqual(['/other run.queued', '/other run.finished'])
  expect(await all({ runs: [mine.id], types: ['run.*'] })).toEqual(['/project run.queued', '/project run.finished'])
  expect(await all({ types: ['run.finished'] })).toEqual(['/other run.finished', '/project run.finished'])
  expect(await all({ projects: [] })).toEqual([])
  expect(await all({})).toHaveLength(604)

  const live = take(store, 1, { after: await store.lastPosition(), projects: ['/other'], types: ['run.*'] })
  await toySubmit(store, 'c')
  await toySubmit(store, 'd', { project: '/other' })
  expect(await live).toMatchObject([{ type: 'run.queued', project: '/other', data: { task: 'd' } }])
})

it('holds nothing back from those who follow, and nothing up, while one of them is slow', async () => {
  const store = await toyStore()
  const run = await toySubmit(store)
  const slow = store.feed({ after: 0, signal: soon() })[Symbol.asyncIterator]()
  expect((await slow.next()).value).toMatchObject({ seq: 1 })
  const quick = take(store, 1501)
  // More than is kept at hand for those who are late.
  for (let at = 0; at < 1500; at++) await store.append(run.id, null, 'agent.said', { at })
  expect((await quick).map((it) => it.seq)).toEqual(Array.from({ length: 1501 }, (_, at) => at + 1))
  const late: number[] = []
  while (late.at(-1) !== 1501) late.push((await slow.next()).value?.seq ?? Number.NaN)
  expect(late).toEqual(Array.from({ length: 1500 }, (_, at) => at + 2))
  await slow.return?.()
})

it('ends when it is told to, and at once', async () => {
  const store = await toyStore()
  await toySubmit(store)
  const stop = new AbortController()
  const seen: number[] = []
  const feed = (async () => {
    for await (const event of store.feed({ after: 0, signal: stop.signal })) seen.push(event.seq)
  })()
  await expect.poll(() => seen).toEqual([1])
  stop.abort()
  await feed
})
