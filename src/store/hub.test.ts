import { expect, it } from 'vitest'
import { temporaryFolder } from '../../test/support/folder.ts'
import { toyStore, toySubmit } from '../../test/support/toy-runs.ts'
import type { Clock } from '../core/clock.ts'
import { createHub } from './hub.ts'
import type { Store } from './open.ts'
import type { Change } from './others.ts'

/** Was there anything to hear of within this time? */
async function isWoken(watch: ReturnType<Store['watch']>, ms = 2000): Promise<boolean> {
  const began = performance.now()
  await watch.next(ms)
  return performance.now() - began < ms - 10
}

/** A clock that only goes on when it is told to, and says how often somebody sleeps. */
function handClock(): Clock & { sleeps: number; tick(): Promise<void> } {
  let wake: (() => void)[] = []
  const clock = {
    sleeps: 0,
    now: () => 0,
    sleep: (_ms: number, signal?: AbortSignal) => {
      clock.sleeps += 1
      return new Promise<void>((resolve, reject) => {
        wake.push(resolve)
        signal?.addEventListener('abort', () => reject(signal.reason as Error))
      })
    },
    async tick() {
      const now = wake
      wake = []
      for (const it of now) it()
      await new Promise((resolve) => setImmediate(resolve))
    },
  }
  return clock
}

it.each(['this process', 'another one'])('wakes who watches a run, and who waits for runs to begin or end, when %s writes', async (who) => {
  const folder = temporaryFolder()
  const store = await toyStore(folder)
  const writer = who === 'this process' ? store : await toyStore(folder)
  const [run, other] = [await toySubmit(store), await toySubmit(store, 'other')]
  const [one, two, states] = [store.watch([run.id]), store.watch([other.id, run.id]), store.watch(null)]
  // The first look at another process's writes wakes everybody: it is not known yet what was there before.
  await writer.append(other.id, null, 'agent.said', {})
  await Promise.all([one, two, states].map((it) => it.next(who === 'this process' ? 1 : 300)))

  await writer.append(run.id, null, 'agent.said', {})
  expect(await Promise.all([isWoken(one), isWoken(two)])).toEqual([true, true])
  await writer.append(other.id, null, 'agent.said', {})
  expect(await Promise.all([isWoken(one, 300), isWoken(two)])).toEqual([false, true])
  await states.next(1)
  await writer.cancel(other.id, 'ada')
  expect(await isWoken(states)).toBe(true)
  for (const it of [one, two, states]) it.close()
})

it('does not wake who waits for runs to begin or end for what a run tells while it works', async () => {
  const store = await toyStore()
  const run = await toySubmit(store)
  const states = store.watch(null)
  await store.append(run.id, null, 'agent.said', {})
  expect(await isWoken(states, 50)).toBe(false)
  await store.pause(run.id, 'ada')
  expect(await isWoken(states)).toBe(true)
  states.close()
})

it('looks for other processes once for all who watch, and not at all while nobody does', async () => {
  const clock = handClock()
  const told: (readonly Change[] | 'many')[] = []
  let looks = 0
  const hub = createHub(clock, {
    begin: () => undefined,
    changes: async () => {
      looks += 1
      return told.shift() ?? []
    },
  })
  const heard: string[] = []
  const stops = [
    hub.listen(['a'], () => heard.push('a')),
    hub.listen(['b'], () => heard.push('b')),
    hub.listen('events', () => heard.push('all')),
  ]
  await clock.tick()
  expect([looks, heard]).toEqual([1, []])
  told.push([{ run: 'a', state: false }])
  await clock.tick()
  expect(heard.splice(0)).toEqual(['a', 'all'])
  told.push('many')
  await clock.tick()
  expect(heard.splice(0)).toEqual(['a', 'b', 'all'])
  for (const stop of stops) stop()
  await clock.tick()
  const before = [looks, clock.sleeps]
  await clock.tick()
  expect([looks, clock.sleeps]).toEqual(before)
  hub.changed({ run: 'a', state: true })
  expect(heard).toEqual([])
})
