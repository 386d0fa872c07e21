import { expect, it } from 'vitest'
import { systemClock } from '../core/clock.ts'
import { type Channel, createChannel, follow } from './channel.ts'
import { createHub } from './hub.ts'

/** A channel over a store that is an array, with what was asked of it. */
function toy(size = 100) {
  const hub = createHub(systemClock, { begin: () => undefined, changes: async () => [] })
  const rows: number[] = []
  const seen = { looks: 0, empty: false }
  const channel: Channel<number> = createChannel({
    hub,
    scope: ['r'],
    head: 0,
    async read(after, limit) {
      seen.looks += 1
      const items = rows.filter((it) => it > after).slice(0, limit)
      return { items: items.map((item) => ({ item, number: item, size })), over: false }
    },
    onEmpty: () => {
      seen.empty = true
    },
  })
  const write = (count: number) => {
    for (let at = 0; at < count; at++) rows.push(rows.length + 1)
    hub.changed({ run: 'r', state: false })
  }
  return { channel, seen, write }
}

it.each([
  ['many items', 100, 2000, 512],
  ['large items', 100_000, 50, 10],
])('keeps no more than a bounded part of %s at hand', async (_what, size, count, most) => {
  const { channel, write } = toy(size)
  const reader = channel.join()
  write(count)
  while (channel.next(count - 1) === null || channel.next(count - 1) === 'behind') await channel.more(reader)
  expect(channel.next(count - 1)).toMatchObject({ number: count })
  expect(channel.floor()).toBeGreaterThanOrEqual(count - most)
  expect(channel.next(channel.floor() - 1), 'whoever is later reads the store').toBe('behind')
  reader.leave()
})

it('looks at the store once for all who follow, and is let go when the last one leaves', async () => {
  const { channel, seen, write } = toy()
  const stop = new AbortController()
  const got = Array.from({ length: 50 }, () => 0)
  const readers = got.map(async (_, at) => {
    const catchUp = () => expect.unreachable('nobody is late')
    for await (const item of follow({ channel, after: 0, signal: stop.signal, catchUp })) got[at] = item
  })
  await expect.poll(() => seen.looks).toBe(1)
  for (let round = 1; round <= 5; round++) {
    write(10)
    await expect.poll(() => got).toEqual(Array.from(got, () => round * 10))
  }
  expect(seen.looks).toBe(6)
  expect(seen.empty).toBe(false)
  stop.abort()
  await Promise.all(readers)
  expect(seen.empty).toBe(true)
})
