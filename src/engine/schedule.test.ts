import { describe, expect, it } from 'vitest'
import type { QueuedRun } from '../store/queue.ts'
import { addLoad, loadOf, NO_LIMITS } from '../store/queue-limits.ts'
import { startTimes } from './queue-times.ts'
import { type History, LONG_WAIT_MS, nextRun, OLDEST_EVERY, queueOrder } from './schedule.ts'

const NOW = 10 * LONG_WAIT_MS

function queued(run: string, more: Partial<QueuedRun> = {}): QueuedRun {
  return { run, project: 'a', role: 'implementer', provider: null, projectLimit: null, priority: 0, createdAt: NOW, runAt: 0, ...more }
}

function history(more: Partial<History> = {}): History {
  return { starts: 0, served: new Map(), now: NOW, ...more }
}

/** What begins, one after the other, while nothing ends. */
function begun(candidates: QueuedRun[], limits = NO_LIMITS): string[] {
  const order = queueOrder(candidates, loadOf([]), limits, history(), () => null)
  return order.filter((it) => it.reason === null).map((it) => it.run.run)
}

describe('the next run', () => {
  it('is the most urgent, then the oldest', () => {
    const runs = [queued('r1'), queued('r2', { priority: 5 }), queued('r3', { priority: 5 })]
    expect(begun(runs)).toEqual(['r2', 'r3', 'r1'])
  })

  it('is of the project with fewer runs at work, among equally urgent ones', () => {
    const load = loadOf([{ project: 'a', role: 'x', provider: null, projectLimit: null, count: 2 }])
    expect(nextRun([queued('r1'), queued('r9', { project: 'b' })], load, NO_LIMITS, history())?.run).toBe('r9')
  })

  it('is of the project that was served longest ago, where as many are at work', () => {
    const runs = [queued('r1'), queued('r2', { project: 'b' }), queued('r3', { project: 'c' })]
    const served = new Map([
      ['a', 7],
      ['b', 3],
      ['c', 5],
    ])
    expect(nextRun(runs, loadOf([]), NO_LIMITS, history({ served }))?.run).toBe('r2')
  })

  it('leaves out what a limit holds back, and begins less urgent ones instead', () => {
    const runs = [
      queued('r1', { priority: 9, role: 'backend' }),
      queued('r2', { priority: 9, role: 'backend' }),
      queued('r3', { priority: 5, provider: 'gpu' }),
      queued('r4', { priority: 5, provider: 'gpu' }),
      queued('r5', { projectLimit: 3 }),
      queued('r6', { projectLimit: 3 }),
      queued('r7', { project: 'b' }),
    ]
    const limits = { max: 8, roles: { backend: 1 }, providers: { gpu: 1 } }
    const order = queueOrder(runs, loadOf([]), limits, history(), () => null)
    expect(order.map((it) => [it.run.run, it.reason])).toEqual([
      ['r1', null],
      ['r3', null],
      ['r7', null],
      ['r5', null],
      ['r2', 'role backend 1 of 1'],
      ['r4', 'provider gpu 1 of 1'],
      ['r6', 'project limit 3 of 3'],
    ])
  })

  it('takes no limit from what every object has', () => {
    expect(begun([queued('r1', { role: 'constructor', provider: 'toString' })])).toEqual(['r1'])
  })

  it('is, every fifth time, the one that has waited longest, if for more than an hour, whatever its priority', () => {
    const low = queued('r0', { priority: -1000, createdAt: NOW - LONG_WAIT_MS - 1 })
    const urgent = Array.from({ length: 9 }, (_, at) => queued(`r${at + 1}`, { priority: 1000 }))
    const at = (starts: number, runs = [low, ...urgent]) => nextRun(runs, loadOf([]), NO_LIMITS, history({ starts }))?.run
    expect([0, 1, 2, 3].map((it) => at(it))).toEqual(['r1', 'r1', 'r1', 'r1'])
    expect(at(OLDEST_EVERY - 1)).toBe('r0')
    const recent = { ...low, createdAt: NOW - LONG_WAIT_MS + 1000 }
    expect(at(OLDEST_EVERY - 1, [recent, ...urgent]), 'an hour is not over').toBe('r1')
    const scheduled = { ...low, runAt: NOW - 1000 }
    expect(at(OLDEST_EVERY - 1, [scheduled, ...urgent]), 'it waits since its time').toBe('r1')
  })

  it('lets each run begin some day while urgent ones keep coming', () => {
    let waiting = Array.from({ length: 20 }, (_, at) => queued(`r0${String(at).padStart(2, '0')}`, { createdAt: 0, priority: -(at % 3) }))
    let starts = 0
    for (; waiting.some((it) => it.priority <= 0); starts++) {
      const candidates = [...waiting, queued(`r9${starts}`, { priority: 1000, project: 'urgent' })]
      const next = nextRun(candidates, loadOf([]), NO_LIMITS, history({ starts }))
      waiting = waiting.filter((it) => it.run !== next?.run)
      if (starts > 1000) break
    }
    expect(starts).toBe(20 * OLDEST_EVERY)
  })
})

describe('the order of the queue', () => {
  it('takes turns between three projects, however many runs one of them has', () => {
    const many = Array.from({ length: 100 }, (_, at) => queued(`r0${String(at).padStart(3, '0')}`))
    const runs = [...many, queued('r1', { project: 'b' }), queued('r2', { project: 'b' }), queued('r3', { project: 'c' })]
    const load = loadOf([{ project: 'a', role: 'x', provider: null, projectLimit: null, count: 8 }])
    const order = queueOrder(runs, load, { ...NO_LIMITS, max: 8 }, history(), () => null)
    expect(order.slice(0, 3).map((it) => it.run.run)).toEqual(['r1', 'r3', 'r2'])
    expect(order[0]).toMatchObject({ position: 1, reason: 'limit 8 of 8' })
    expect(order).toHaveLength(103)
  })

  it('puts those that do not begin by themselves behind the others, without a number', () => {
    const runs = [queued('r1'), queued('r2'), queued('r3')]
    const order = queueOrder(runs, loadOf([]), { ...NO_LIMITS, max: 1 }, history(), (it) => (it.run === 'r1' ? 'queue paused' : null))
    expect(order.map((it) => [it.run.run, it.position, it.reason])).toEqual([
      ['r2', 1, null],
      ['r3', 2, 'limit 1 of 1'],
      ['r1', null, 'queue paused'],
    ])
  })

  it('is found quickly for ten thousand', () => {
    const runs = Array.from({ length: 10_000 }, (_, at) => queued(`r${10_000 + at}`, { project: `p${at % 10}`, priority: at % 5 }))
    const order = queueOrder(runs, loadOf([]), { ...NO_LIMITS, max: 8 }, history(), () => null)
    expect(order.map((it) => it.position)).toEqual(Array.from({ length: 10_000 }, (_, at) => at + 1))
  })
})

describe('the times at which queued runs begin', () => {
  const coming = (run: string, usualMs: number | null, more: Partial<QueuedRun> = {}) => ({ ...queued(run, more), usualMs })
  const working = (run: string, usualMs: number | null, activeMs: number) => ({ ...coming(run, usualMs), workflow: 'direct', activeMs })
  const limits = { max: 2, roles: {}, providers: { gpu: 1 } }

  it('follow from what is at work, the order and the limits', () => {
    const order = [coming('r1', 100), coming('r2', 50), coming('r3', 10)]
    const times = startTimes(order, [working('w1', 100, 40), working('w2', 100, 500)], limits, 1000)
    expect([...times]).toEqual([
      ['r1', 1000],
      ['r2', 1060],
      ['r3', 1100],
    ])
  })

  it('wait for a place with each limit', () => {
    const gpu = { provider: 'gpu' }
    const times = startTimes([coming('r1', 100, gpu), coming('r2', 100, gpu), coming('r3', 5, { project: 'b' })], [], limits, 0)
    expect(Object.fromEntries(times)).toEqual({ r1: 0, r2: 100, r3: 0 })
  })

  it('are unknown behind a run of which nobody knows how long it takes', () => {
    expect([...startTimes([coming('r1', 5), coming('r2', null), coming('r3', 5)], [], limits, 0).keys()]).toEqual(['r1', 'r2'])
    expect(startTimes([coming('r1', 5)], [working('w', null, 0)], limits, 0).size).toBe(0)
  })
})

it('counts what is at work by project, role and provider', () => {
  const load = loadOf([{ project: 'a', role: 'x', provider: null, projectLimit: null, count: 2 }])
  addLoad(load, { project: 'a', role: 'y', provider: 'p', projectLimit: 1 })
  expect(load).toEqual({ total: 3, projects: new Map([['a', 3]]), roles: new Map([['x', 2], ['y', 1]]), providers: new Map([['p', 1]]) }) // biome-ignore format: a table
})
