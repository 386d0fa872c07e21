import { expect, it } from 'vitest'
import { temporaryFolder } from '../../test/support/folder.ts'
import { soon, toyEngine, toyStore, toySubmit } from '../../test/support/toy-runs.ts'
import { toyTask } from '../../test/support/toy-task.ts'
import { openStore, type Store } from '../store/open.ts'
import type { RunRow } from '../store/port.ts'
import type { RunContext, RunEnd } from './port.ts'

const none = { max: 100, roles: {}, providers: {} }

/** Runs that take a moment; keeps in which order they began, and how many of a kind were at work at the same time at most. */
function watched(kind: (row: RunRow) => string) {
  const begun: string[] = []
  const now = new Map<string, number>()
  const most: Record<string, number> = {}
  const toy = async (run: RunContext): Promise<RunEnd> => {
    const it = kind(run.row)
    begun.push(it)
    const count = (now.get(it) ?? 0) + 1
    now.set(it, count)
    most[it] = Math.max(most[it] ?? 0, count)
    await run.step({ name: 'a', kind: 'agent', input: null }, async () => new Promise<null>((resolve) => setTimeout(resolve, 10, null)))
    now.set(it, (now.get(it) ?? 0) - 1)
    return { status: 'succeeded' }
  }
  return { toy, begun, most }
}

async function all(store: Store, count: number, extra: (at: number) => Parameters<typeof toySubmit>[2]): Promise<RunRow[]> {
  const rows = []
  for (let at = 0; at < count; at++) rows.push(await toySubmit(store, `t${at}`, extra(at) ?? {}))
  return rows
}

it('keeps to the limits of projects, roles and providers, in two engines together', async () => {
  const folder = temporaryFolder()
  const stores = [await toyStore(folder), await toyStore(folder)] as const
  const { toy, most } = watched((row) => `${row.task.role} ${row.task.provider ?? '-'}`)
  const kinds = [{ role: 'backend' }, { role: 'free' }, { role: 'free', provider: 'gpu' }]
  const rows = await all(stores[0], 15, (at) => ({ task: toyTask(`t${at}`, kinds[at % 3]) }))
  const limits = { max: 6, roles: { backend: 1 }, providers: { gpu: 2 } }
  const engines = [
    await toyEngine(stores[0], { toy }, { concurrency: 9, limits }),
    await toyEngine(stores[1], { toy }, { concurrency: 9, limits }),
  ]
  for (const it of rows) expect((await engines[0]?.waitFor(it.id, soon()))?.state).toBe('succeeded')
  expect(most['backend -']).toBe(1)
  expect(most['free gpu']).toBe(2)
  expect(most['free -']).toBeGreaterThan(1)
})

it('takes turns between three projects, however many runs one of them has queued before', async () => {
  const store = await toyStore()
  const { toy, begun } = watched((row) => row.project)
  const rows = await all(store, 16, (at) => ({ project: at < 12 ? '/big' : at < 14 ? '/second' : '/third' }))
  const engine = await toyEngine(store, { toy }, { concurrency: 1 })
  for (const it of rows) await engine.waitFor(it.id, soon())
  expect(begun.slice(0, 6).toSorted()).toEqual(['/big', '/big', '/second', '/second', '/third', '/third'])
  expect(begun.slice(6)).toEqual(Array(10).fill('/big'))
})

it('begins nothing of a queue that is paused, also not after a restart, and goes on when it is resumed', async () => {
  const folder = temporaryFolder()
  const before = await openStore(folder)
  const run = await toySubmit(before)
  await before.queue.pauseQueue('*', 'paused', 'ada')
  await before.close()
  const store = await toyStore(folder)
  const { toy, begun } = watched(() => 'run')
  const engine = await toyEngine(store, { toy })
  await expect(engine.waitFor(run.id, AbortSignal.timeout(150))).rejects.toThrow(/timeout/)
  expect(begun).toEqual([])
  await store.queue.resumeQueue('*')
  expect((await engine.waitFor(run.id, soon())).state).toBe('succeeded')
})

it('leaves a run queued with the reason where it cannot be worked on here, without asking again and again, and begins others', async () => {
  const store = await toyStore()
  const { toy } = watched(() => 'run')
  const asked: string[] = []
  let key = false
  const hindrance = async (row: RunRow) => {
    asked.push(row.task.id)
    return row.task.id === 'keyless' && !key ? 'it needs KEY' : null
  }
  const held = await toySubmit(store, 'keyless')
  const other = await toySubmit(store, 'other')
  const engine = await toyEngine(store, { toy }, { limits: none, hindrance })
  expect((await engine.waitFor(other.id, soon())).state).toBe('succeeded')
  await expect(engine.waitFor(held.id, AbortSignal.timeout(400))).rejects.toThrow(/timeout/)
  expect(await store.getRun(held.id)).toMatchObject({ state: 'queued', held: 'it needs KEY' })
  expect(asked.filter((it) => it === 'keyless')).toHaveLength(1)
  key = true
  await store.queue.releaseHolds([held.id])
  expect((await engine.waitFor(held.id, soon())).state).toBe('succeeded')
})

it('holds a run back whose hindrance cannot be told, and says what went wrong', async () => {
  const store = await toyStore()
  const run = await toySubmit(store)
  const { toy } = watched(() => 'run')
  const engine = await toyEngine(store, { toy }, { hindrance: () => Promise.reject(new Error('The disk is gone.')) })
  await expect(engine.waitFor(run.id, AbortSignal.timeout(200))).rejects.toThrow(/timeout/)
  expect((await store.getRun(run.id))?.held).toBe('The disk is gone.')
})

it('begins a run at its time, by the clock of the store, and not before', async () => {
  let now = 1_000_000
  const clock = { now: () => now, sleep: (ms: number, signal?: AbortSignal) => realSleep(Math.min(ms, 5), signal) }
  const store = await openStore(temporaryFolder(), { clock })
  const { toy, begun } = watched(() => 'run')
  const run = await toySubmit(store, 'later', { runAt: now + 3_600_000 })
  const engine = await toyEngine(store, { toy }, { clock })
  await realSleep(60)
  expect(begun).toEqual([])
  now += 3_600_000
  expect((await engine.waitFor(run.id, soon())).state).toBe('succeeded')
  await engine.stop()
  await store.close()
})

function realSleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms)
    signal?.addEventListener('abort', () => {
      clearTimeout(timer)
      reject(signal.reason as Error)
    })
  })
}
