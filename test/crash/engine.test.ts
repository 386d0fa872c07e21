import { expect, it } from 'vitest'
import { temporaryFolder } from '../support/folder.ts'
import { soon, toyStore, toySubmit } from '../support/toy-runs.ts'
import { effects, expectWhole, startWorker } from './engine-workers.ts'

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

const POINTS = [
  ['after-submit', 'queued'],
  ['after-claim', 'running'],
  ['after-step-started:2', 'running'],
  ['after-effect-before-journal:2', 'running'],
  ['after-journal:2', 'running'],
  ['after-effect-before-journal:s5', 'running'],
  ['after-journal:plan', 'running'],
  ['before-park', 'running'],
  ['after-park', 'waiting'],
  ['before-park:2', 'running'],
  ['after-park:2', 'waiting'],
  ['before-finish', 'running'],
  ['after-finish', 'succeeded'],
] as const

it.each(POINTS)('goes on after a death at the point %s', async (point, state) => {
  const folder = temporaryFolder()
  const first = startWorker(folder, ['submit'], { REEVE_CRASH_AT: point })
  expect(await first.ended, first.problem()).toBe('SIGKILL')
  const store = await toyStore(folder)
  const [run] = await store.listRuns()
  if (!run) throw new Error('the run is gone')
  expect(run.state).toBe(state)
  const done = await store.steps(run.id)

  const second = startWorker(folder, ['submit'])
  expect(await second.ended, second.problem()).toBe(0)
  expect(await store.listRuns()).toHaveLength(1)
  const again = await expectWhole(store, run.id, folder)
  expect(again).toBe(point.startsWith('after-effect') ? 1 : 0)
  const repeated = effects(folder)
    .filter((it) => it.pid !== first.child.pid)
    .map((it) => it.step)
  for (const step of done) expect(repeated).not.toContain(step.name)
})

it('finishes every run, each step kept once, however often its process is killed', async () => {
  const folder = temporaryFolder()
  const store = await toyStore(folder)
  const runs = await Promise.all(Array.from({ length: 24 }, (_, at) => toySubmit(store, `t${at}`)))
  let kills = 0
  for (let tries = 0; tries < 60; tries++) {
    const worker = startWorker(folder, ['work'])
    // Not before it is at work: a death during start-up proves nothing.
    const before = effects(folder).length
    const over = () => worker.child.exitCode !== null
    while (!over() && effects(folder).length < before + 6) await pause(5)
    await pause(Math.random() * 40)
    if (over()) {
      expect(await worker.ended, worker.problem()).toBe(0)
      break
    }
    worker.child.kill('SIGKILL')
    await worker.ended
    kills += 1
    // Where a busy machine hardly gets a step done between two kills, a person goes on before reeve gives up.
    await store.recover()
    for (const run of await store.listRuns({ states: ['queued'] })) if (run.crashes >= 3) await store.resume(run.id, 'ada')
  }
  expect(kills).toBeGreaterThan(3)
  let again = 0
  for (const run of runs) again += await expectWhole(store, run.id, folder)
  expect(again).toBeLessThanOrEqual(kills * 4)
})

it('lets three processes share the runs, and the others take over what a killed one had', async () => {
  const folder = temporaryFolder()
  const store = await toyStore(folder)
  const runs = await Promise.all(Array.from({ length: 18 }, (_, at) => toySubmit(store, `t${at}`)))
  const workers = [startWorker(folder, ['work']), startWorker(folder, ['work']), startWorker(folder, ['work'])]
  while (effects(folder).length < 12) await pause(5)
  workers[0]?.child.kill('SIGKILL')
  for (const worker of workers.slice(1)) expect(await worker.ended, worker.problem()).toBe(0)
  for (const run of runs) await expectWhole(store, run.id, folder)
})

it('lets twenty processes begin at once on a folder that is not there yet, each with a run of its own', async () => {
  const folder = temporaryFolder()
  const workers = Array.from({ length: 20 }, (_, at) => startWorker(folder, ['submit', `t${at}`]))
  for (const worker of workers) expect(await worker.ended, worker.problem()).toBe(0)
  const store = await toyStore(folder)
  const runs = await store.listRuns()
  expect(runs).toHaveLength(20)
  for (const run of runs) expect(await expectWhole(store, run.id, folder)).toBe(0)
  const pids = new Map(effects(folder).map((it) => [it.run, it.pid]))
  expect(new Set(pids.values()).size).toBe(20)
})

it('sees at once that a process has died, and not before', async () => {
  const folder = temporaryFolder()
  const worker = startWorker(folder, ['hold'])
  while (effects(folder).length === 0) await pause(5)
  const store = await toyStore(folder)
  expect(await store.recover()).toEqual([])
  worker.child.kill('SIGSTOP')
  expect(await store.recover()).toEqual([])
  worker.child.kill('SIGKILL')
  await worker.ended
  const [run] = await store.listRuns()
  expect(await store.recover()).toEqual([run?.id])
  expect(await store.getRun(run?.id ?? '')).toMatchObject({ state: 'queued', crashes: 1 })
})

it('gives up on a run that kills its process each time', async () => {
  const folder = temporaryFolder()
  for (let death = 0; death < 6; death++) {
    const worker = startWorker(folder, ['submit'], { REEVE_CRASH_AT: 'after-step-started' })
    expect(await worker.ended, worker.problem()).toBe('SIGKILL')
  }
  const last = startWorker(folder, ['submit'], { REEVE_CRASH_AT: 'after-step-started' })
  expect(await last.ended, last.problem()).toBe(0)
  const store = await toyStore(folder)
  const [run] = await store.listRuns()
  expect(run).toMatchObject({ state: 'failed', reason: 'crash_loop' })
})

it('follows a run of another process while it is written', async () => {
  const folder = temporaryFolder()
  const store = await toyStore(folder)
  const worker = startWorker(folder, ['submit'])
  let runs = await store.listRuns()
  while (runs.length === 0) {
    await pause(10)
    runs = await store.listRuns()
  }
  const run = runs[0]?.id ?? ''
  const seen: number[] = []
  for await (const event of store.tail(run, 0, soon())) seen.push(event.seq)
  expect(await worker.ended, worker.problem()).toBe(0)
  expect(seen).toEqual((await store.events(run)).map((it) => it.seq))
})
