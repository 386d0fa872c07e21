import { expect, it } from 'vitest'
import { temporaryFolder } from '../../test/support/folder.ts'
import { soon, toyEngine, toyStore, toySubmit } from '../../test/support/toy-runs.ts'
import { createEngine } from './engine.ts'
import type { RunContext, RunEnd, StepHandle } from './port.ts'

const done: RunEnd = { status: 'succeeded' }
const usage = { inputTokens: 1, outputTokens: 1, cachedInputTokens: 0, requests: 1 }
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** One step that works until it is aborted, or, from the second try on, ends at once. */
function stubborn() {
  const begun = Promise.withResolvers<void>()
  let tries = 0
  const work = async (it: StepHandle): Promise<number> => {
    tries += 1
    if (tries > 1) return tries
    it.charge(usage, 0.5)
    begun.resolve()
    return new Promise((_resolve, reject) => {
      it.signal.addEventListener('abort', () => reject(it.signal.reason as Error))
    })
  }
  const toy = async (run: RunContext): Promise<RunEnd> => {
    await run.step({ name: 'before', kind: 'scan', input: null }, async () => 0)
    await run.step({ name: 'long', kind: 'agent', input: null }, work)
    return done
  }
  return { begun: begun.promise, toy, tries: () => tries }
}

it('works on as many runs at once as it may, the urgent ones first', async () => {
  const store = await toyStore()
  let now = 0
  let most = 0
  const order: string[] = []
  const toy = async (run: RunContext): Promise<RunEnd> => {
    await run.step({ name: 'a', kind: 'agent', input: null }, async () => {
      order.push(run.row.task.id)
      now += 1
      most = Math.max(most, now)
      await pause(20)
      now -= 1
      return null
    })
    return done
  }
  const runs = []
  for (let at = 0; at < 7; at++) {
    const { row } = await store.submit({
      task: { ...(await toySubmit(store, `x${at}`, { workflow: 'other', runAt: 9e15 })).task, id: `t${at}`, priority: at },
      project: '/p',
      workflow: 'toy',
      options: {},
    })
    runs.push(row)
  }
  const engine = await toyEngine(store, { toy }, { concurrency: 2 })
  for (const run of runs) expect((await engine.waitFor(run.id, soon())).state).toBe('succeeded')
  expect(most).toBe(2)
  expect(order.slice(0, 2).toSorted()).toEqual(['t5', 't6'])
  expect(order.at(-1)).toBe('t0')
})

it('works only on the runs it was given, and on those given later', async () => {
  const store = await toyStore()
  const [mine, later, other] = [await toySubmit(store, 'mine'), await toySubmit(store, 'later'), await toySubmit(store, 'other')]
  const only = new Set([mine.id])
  const engine = await toyEngine(store, { toy: async () => done }, { only: { only } })
  expect((await engine.waitFor(mine.id, soon())).state).toBe('succeeded')
  engine.add(later.id)
  expect((await engine.waitFor(later.id, soon())).state).toBe('succeeded')
  expect((await store.getRun(other.id))?.state).toBe('queued')
  only.add(other.id)
  expect((await engine.waitFor(other.id, soon())).state).toBe('succeeded')
})

it('never has two engines work on one run', async () => {
  const folder = temporaryFolder()
  const stores = [await toyStore(folder), await toyStore(folder)]
  const executed: string[] = []
  const toy = async (run: RunContext): Promise<RunEnd> => {
    for (const name of ['a', 'b', 'c'])
      await run.step({ name, kind: 'agent', input: null }, async () => {
        executed.push(`${run.id}/${name}`)
        await pause(1)
        return null
      })
    return done
  }
  const [store] = stores
  if (!store) throw new Error('no store')
  const runs = await Promise.all(Array.from({ length: 12 }, (_, at) => toySubmit(store, `t${at}`)))
  const engines = await Promise.all(stores.map((it) => toyEngine(it, { toy }, { concurrency: 4 })))
  for (const run of runs) expect((await engines[0]?.waitFor(run.id, soon()))?.state).toBe('succeeded')
  expect(executed).toHaveLength(36)
  expect(new Set(executed).size).toBe(36)
  const nodes = await Promise.all(runs.map(async (it) => (await store.eventsOfType(it.id, ['run.started']))[0]?.data['node']))
  expect(new Set(nodes).size).toBe(2)
})

it('keeps to a limit over all engines of the data folder', async () => {
  const folder = temporaryFolder()
  const stores = [await toyStore(folder), await toyStore(folder), await toyStore(folder)]
  let now = 0
  let most = 0
  const toy = async (run: RunContext): Promise<RunEnd> => {
    await run.step({ name: 'a', kind: 'agent', input: null }, async () => {
      now += 1
      most = Math.max(most, now)
      await pause(15)
      now -= 1
      return null
    })
    return done
  }
  const limits = { max: 2, roles: {}, providers: {} }
  const engines = await Promise.all(stores.map((it) => toyEngine(it, { toy }, { concurrency: 4, limits })))
  const runs = await Promise.all(Array.from({ length: 9 }, (_, at) => toySubmit(stores[at % 3] as (typeof stores)[0], `t${at}`)))
  for (const run of runs) expect((await engines[0]?.waitFor(run.id, soon()))?.state).toBe('succeeded')
  expect(most).toBe(2)
})

it('stops a run that is cancelled elsewhere in the middle of a step, and keeps its cost', async () => {
  const folder = temporaryFolder()
  const [store, other] = [await toyStore(folder), await toyStore(folder)]
  const { begun, toy } = stubborn()
  const engine = await toyEngine(store, { toy })
  const run = await toySubmit(store)
  await begun
  await other.cancel(run.id, 'ada')
  expect(await engine.waitFor(run.id, soon())).toMatchObject({ state: 'cancelled', message: 'Stopped by ada.' })
  expect(await engine.drain(5000)).toBe(true)
  expect(await store.spend(run.id)).toEqual({ usage, cost: 0.5, charged: 0.5 })
  expect((await store.steps(run.id)).map((it) => it.name)).toEqual(['before'])
  expect((await store.eventsOfType(run.id, ['step.failed']))[0]?.data).toMatchObject({ step: 'long', status: 'interrupted' })
})

it('keeps no result of a step that ends after the cancel', async () => {
  const store = await toyStore()
  const engine = await toyEngine(store, {
    toy: async (run) => {
      await run.step({ name: 'a', kind: 'agent', input: null }, async (it) => {
        await store.cancel(run.id, 'ada')
        it.charge(usage, 2)
        return 1
      })
      return done
    },
  })
  const run = await toySubmit(store)
  expect((await engine.waitFor(run.id, soon())).state).toBe('cancelled')
  await engine.drain(5000)
  expect(await store.steps(run.id)).toEqual([])
  expect((await store.spend(run.id)).cost).toBe(2)
})

it('hands runs back on detach without counting a crash, and another engine goes on after the last finished step', async () => {
  const folder = temporaryFolder()
  const store = await toyStore(folder)
  const { begun, toy, tries } = stubborn()
  const engine = await toyEngine(store, { toy })
  const run = await toySubmit(store)
  await begun
  await engine.detach()
  expect(await store.getRun(run.id)).toMatchObject({ state: 'queued', crashes: 0, node: null })
  const events = await store.events(run.id)
  expect(events.slice(-2).map((it) => it.type)).toEqual(['step.failed', 'run.detached'])
  expect(events.at(-2)?.data).toMatchObject({ step: 'long', status: 'interrupted', cost: 0.5 })
  await engine.stop()

  const next = await toyEngine(await toyStore(folder), { toy })
  expect((await next.waitFor(run.id, soon())).state).toBe('succeeded')
  expect(tries()).toBe(2)
  const started = await store.eventsOfType(run.id, ['step.started'])
  expect(started.map((it) => it.data['request'])).toEqual([`${run.id}/before#1`, `${run.id}/long#1`, `${run.id}/long#2`])
})

it('drains at a step boundary: the step at work is kept, the next is left to another engine', async () => {
  const folder = temporaryFolder()
  const store = await toyStore(folder)
  const begun = Promise.withResolvers<void>()
  const executed: string[] = []
  const toy = async (run: RunContext): Promise<RunEnd> => {
    for (const name of ['a', 'b'])
      await run.step({ name, kind: 'agent', input: null }, async () => {
        executed.push(name)
        begun.resolve()
        await pause(60)
        return null
      })
    return done
  }
  const engine = await toyEngine(store, { toy })
  const run = await toySubmit(store)
  const untouched = await toySubmit(store, 'later', { runAt: 9e15 })
  await begun.promise
  expect(await engine.drain(1)).toBe(false)
  expect(await engine.drain(10_000)).toBe(true)
  expect(await store.getRun(run.id)).toMatchObject({ state: 'queued', crashes: 0 })
  expect((await store.steps(run.id)).map((it) => it.name)).toEqual(['a'])
  expect((await store.getRun(untouched.id))?.state).toBe('queued')
  const next = await toyEngine(await toyStore(folder), { toy })
  expect((await next.waitFor(run.id, soon())).state).toBe('succeeded')
  expect(executed).toEqual(['a', 'b'])
})

it('lets go of a run that was lost: its step is aborted and nothing of it is kept', async () => {
  const folder = temporaryFolder()
  const [store, other] = [await toyStore(folder), await toyStore(folder)]
  const { begun, toy, tries } = stubborn()
  const engine = await toyEngine(store, { toy })
  const run = await toySubmit(store)
  await begun
  // What is seen when a machine loses its lock: others take the node for dead.
  store.releaseNode(engine.node)
  expect(await other.recover()).toEqual([run.id])
  const thief = await toyEngine(other, { toy })
  expect((await thief.waitFor(run.id, soon())).state).toBe('succeeded')
  expect(await engine.drain(5000)).toBe(true)
  expect(tries()).toBe(2)
  const finished = await store.eventsOfType(run.id, ['step.finished', 'step.failed'])
  expect(finished.map((it) => [it.type, it.data['step']])).toEqual([
    ['step.finished', 'before'],
    ['step.finished', 'long'],
  ])
})

it('takes over by itself what a process that died has left', async () => {
  const store = await toyStore()
  const run = await toySubmit(store)
  await store.claim(run.id, 'dead')
  const engine = await toyEngine(store, { toy: async () => done })
  expect(await engine.waitFor(run.id, soon())).toMatchObject({ state: 'succeeded', epoch: 2 })
  expect((await store.eventsOfType(run.id, ['run.interrupted']))[0]?.data).toEqual({
    message: 'The process that worked on it is gone.',
    crashes: 1,
  })
})

it('waits on through dependencies, and no longer than somebody is needed', async () => {
  const store = await toyStore()
  const engine = await toyEngine(store, {
    toy: async (run) => {
      await run.step({ name: 'a', kind: 'agent', input: null }, async () => {
        await pause(30)
        return null
      })
      return done
    },
    asks: async (run) => {
      await run.approval('go', 'Go?')
      return done
    },
  })
  const parent = await toySubmit(store, 'parent')
  const child = await toySubmit(store, 'child', { dependsOn: [parent.id] })
  expect((await engine.waitFor(child.id, soon())).state).toBe('succeeded')
  const asking = await toySubmit(store, 'asking', { workflow: 'asks' })
  const blocked = await toySubmit(store, 'blocked', { dependsOn: [asking.id] })
  const below = await toySubmit(store, 'below', { dependsOn: [blocked.id] })
  expect(await engine.waitFor(below.id, soon())).toMatchObject({ state: 'waiting', reason: 'dependency' })
  await store.signal(asking.id, 'approve', {}, 'ada')
  expect((await engine.waitFor(below.id, soon())).state).toBe('succeeded')
})

it('stops waiting when its caller has had enough, and for a run that is not there', async () => {
  const store = await toyStore()
  const engine = createEngine({ store, workflows: {} })
  const run = await toySubmit(store)
  await expect(engine.waitFor(run.id, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough')
  await expect(engine.waitFor(run.id, AbortSignal.timeout(50))).rejects.toThrow(/timeout/)
  await expect(engine.waitFor('rnone', soon())).rejects.toThrow('No run "rnone".')
  await engine.stop()
})
