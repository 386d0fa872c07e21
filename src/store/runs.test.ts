import { expect, it } from 'vitest'
import { temporaryFolder } from '../../test/support/folder.ts'
import { toyStore, toySubmit } from '../../test/support/toy-runs.ts'
import { toyTask } from '../../test/support/toy-task.ts'
import type { Store } from './open.ts'

async function end(store: Store, run: string, status: 'succeeded' | 'failed'): Promise<void> {
  const claim = await store.claim(run, 'n1')
  if (!claim) throw new Error(`${run} could not be claimed`)
  await store.finish(claim, status === 'succeeded' ? { status } : { status, reason: 'gates', message: 'no' })
}

async function eventTypes(store: Store, run: string): Promise<string[]> {
  return (await store.events(run)).map((it) => it.type)
}

it('keeps what was submitted, with its first event', async () => {
  const store = await toyStore()
  const task = toyTask('count', { priority: 7, context: { note: 'für später' } })
  const { row, created } = await store.submit({ task, project: '/p', workflow: 'build', options: { timeoutMs: 5 } })
  expect(created).toBe(true)
  expect(row).toMatchObject({
    task,
    project: '/p',
    workflow: 'build',
    options: { timeoutMs: 5 },
    state: 'queued',
    priority: 7,
    epoch: 0,
    lastSeq: 1,
  })
  expect(Math.abs(row.createdAt - Date.now())).toBeLessThan(10_000)
  const [first] = await store.events(row.id)
  expect(first).toMatchObject({ run: row.id, seq: 1, type: 'run.queued', data: { task: 'count', workflow: 'build' } })
})

it('makes one run of two submits with the same client key, also at once', async () => {
  const folder = temporaryFolder()
  const [a, b] = [await toyStore(folder), await toyStore(folder)]
  const request = { task: toyTask('t'), project: '/p', workflow: 'toy', options: {}, clientKey: 'once' }
  const results = await Promise.all([a.submit(request), b.submit(request), a.submit(request), b.submit(request)])
  expect(new Set(results.map((it) => it.row.id)).size).toBe(1)
  expect(results.filter((it) => it.created)).toHaveLength(1)
  expect(await a.listRuns()).toHaveLength(1)
  expect(await eventTypes(a, results[0]?.row.id ?? '')).toEqual(['run.queued'])
})

it('makes nothing of a submit that is refused', async () => {
  const store = await toyStore()
  await expect(toySubmit(store, 't', { dependsOn: ['rnothing'] })).rejects.toThrow('No run "rnothing".')
  expect(await store.listRuns()).toEqual([])
})

it('finds a run by its id, a beginning or an end of it, and by "last"', async () => {
  const store = await toyStore()
  const run = await toySubmit(store)
  expect((await store.findRun(run.id)).id).toBe(run.id)
  expect((await store.findRun(run.id.slice(0, 5))).id).toBe(run.id)
  expect((await store.findRun(run.id.slice(-4))).id).toBe(run.id)
  const later = await toySubmit(store)
  expect((await store.findRun('last')).id).toBe(later.id)
})

it('finds the last run of one project, whatever came after it elsewhere', async () => {
  const store = await toyStore()
  const submit = (project: string) => store.submit({ task: toyTask('count'), project, workflow: 'build', options: {} })
  const own = await submit('/mine')
  await submit('/other')
  expect((await store.findRun('last', '/mine')).id).toBe(own.row.id)
  await expect(store.findRun('last', '/none')).rejects.toMatchObject({ code: 'run_not_found' })
})

it('refuses a text that fits several runs, or none', async () => {
  const store = await toyStore()
  await expect(store.findRun('last')).rejects.toMatchObject({ code: 'run_not_found' })
  const runs = [await toySubmit(store, 'a'), await toySubmit(store, 'b')]
  const ids = runs
    .map((it) => it.id)
    .toSorted()
    .toReversed()
  await expect(store.findRun('r')).rejects.toThrow(`"r" fits 2 runs: ${ids.join(', ')}.`)
  await expect(store.findRun('%')).rejects.toThrow('No run "%".')
  await expect(store.findRun('')).rejects.toThrow('No run "".')
})

it('lists the newest first, by project and state, page by page', async () => {
  const store = await toyStore()
  const ids: string[] = []
  for (const project of ['/a', '/b', '/a', '/a']) ids.push((await toySubmit(store, 't', { project })).id)
  const sorted = ids.toSorted().toReversed()
  expect((await store.listRuns()).map((it) => it.id)).toEqual(sorted)
  expect((await store.listRuns({ project: '/b' })).map((it) => it.id)).toEqual([ids[1]])
  const page = await store.listRuns({ limit: 2 })
  expect((await store.listRuns({ limit: 2, after: page[1]?.id ?? '' })).map((it) => it.id)).toEqual(sorted.slice(2))
  await store.cancel(ids[0] ?? '', 'ada')
  expect((await store.listRuns({ states: ['cancelled', 'failed'] })).map((it) => it.id)).toEqual([ids[0]])
})

it('merges facts and keeps the others', async () => {
  const store = await toyStore()
  const run = await toySubmit(store)
  await store.setFacts(run.id, null, { base: 'abc', attempts: 1 })
  await store.setFacts(run.id, null, { attempts: 2 })
  expect((await store.getRun(run.id))?.facts).toEqual({ base: 'abc', attempts: 2 })
  await expect(store.setFacts(run.id, 5, { base: 'x' })).rejects.toMatchObject({ code: 'fenced' })
})

it('offers the oldest run of each kind, and none before its time', async () => {
  const store = await toyStore()
  const low = await toySubmit(store, 'low', { task: toyTask('low', { priority: -1 }) })
  const pair = [(await toySubmit(store, 'a')).id, (await toySubmit(store, 'b')).id].toSorted()
  const high = await toySubmit(store, 'high', { task: toyTask('high', { priority: 5 }) })
  const later = await toySubmit(store, 'later', { runAt: Date.now() + 3_600_000 })
  const heads = (await store.queue.queueHeads(null)).map((it) => it.run)
  expect(new Set(heads)).toEqual(new Set([low.id, pair[0], high.id]))
  expect(heads).toHaveLength(3)
  expect(await store.queue.queueHeads([pair[1] ?? '', later.id])).toMatchObject([{ run: pair[1], priority: 0, project: '/project' }])
  expect(await store.claim(later.id, 'n1')).toBeNull()
})

it('lets exactly one of many claim a run', async () => {
  const folder = temporaryFolder()
  const [a, b] = [await toyStore(folder), await toyStore(folder)]
  const run = await toySubmit(a)
  const claims = await Promise.all([a.claim(run.id, 'n1'), b.claim(run.id, 'n2'), a.claim(run.id, 'n1'), b.claim(run.id, 'n2')])
  expect(claims.filter((it) => it !== null)).toHaveLength(1)
  expect((await a.getRun(run.id))?.epoch).toBe(1)
})

it('refuses every write of a claim that was lost', async () => {
  const store = await toyStore()
  const run = await toySubmit(store)
  const old = await store.claim(run.id, 'dead')
  if (!old) throw new Error('not claimed')
  expect(await store.recover()).toEqual([run.id])
  const fresh = await store.claim(run.id, 'n2')
  expect(fresh?.epoch).toBe(old.epoch + 1)
  const fenced = { code: 'fenced', message: `Run ${run.id} is now worked on elsewhere, or was cancelled.` }
  const before = await store.events(run.id)
  const wait = { reason: 'quota' as const, message: 'm', until: null }
  const result = { name: 's', inputHash: 'h', output: '1', event: { step: 's' }, facts: { base: 'zombie' } }
  await expect(store.append(run.id, old.epoch, 'agent.said', {})).rejects.toMatchObject(fenced)
  await expect(store.startStep(old, { step: 's' })).rejects.toMatchObject(fenced)
  await expect(store.keepStep(old, result)).rejects.toMatchObject(fenced)
  await expect(store.askApproval(old, 'plan', 'ok?')).rejects.toMatchObject(fenced)
  await expect(store.useDecision(old, 'plan', 'h')).rejects.toMatchObject(fenced)
  await expect(store.useMessages(old, 'm', 'h')).rejects.toMatchObject(fenced)
  await expect(store.park(old, wait)).rejects.toMatchObject(fenced)
  await expect(store.handBack(old, 'm')).rejects.toMatchObject(fenced)
  await expect(store.finish(old, { status: 'succeeded' })).rejects.toMatchObject(fenced)
  expect(await store.events(run.id)).toEqual(before)
  expect(await store.steps(run.id)).toEqual([])
  expect(await store.getRun(run.id)).toMatchObject({ state: 'running', node: 'n2', facts: {} })
})

it('starts a dependent run when the last of the runs it waits for has succeeded', async () => {
  const store = await toyStore()
  const [a, b] = [await toySubmit(store, 'a'), await toySubmit(store, 'b')]
  const child = await toySubmit(store, 'c', { dependsOn: [a.id, b.id, a.id] })
  expect(child).toMatchObject({ state: 'waiting', reason: 'dependency' })
  expect(await store.dependenciesOf(child.id)).toEqual([a.id, b.id].toSorted())
  await end(store, b.id, 'succeeded')
  expect((await store.getRun(child.id))?.state).toBe('waiting')
  await end(store, a.id, 'succeeded')
  expect(await store.getRun(child.id)).toMatchObject({ state: 'queued', reason: null, message: null })
  expect(await eventTypes(store, child.id)).toEqual(['run.queued', 'run.waiting', 'run.woken'])
  const late = await toySubmit(store, 'd', { dependsOn: [a.id] })
  expect(late.state).toBe('queued')
})

it('wakes each of many dependents once when their dependencies end at the same time in two processes', async () => {
  const folder = temporaryFolder()
  const stores = [await toyStore(folder), await toyStore(folder), await toyStore(folder)] as const
  const parents = await Promise.all(stores.map((it, at) => toySubmit(it, `p${at}`)))
  const children = await Promise.all(
    Array.from({ length: 20 }, (_, at) => toySubmit(stores[0], `c${at}`, { dependsOn: parents.map((it) => it.id) })),
  )
  await Promise.all(parents.map((it, at) => end(stores[at % 3] ?? stores[0], it.id, 'succeeded')))
  for (const child of children) expect(await eventTypes(stores[0], child.id)).toEqual(['run.queued', 'run.waiting', 'run.woken'])
})

it('fails what depends on a run that failed or was cancelled, and what depends on that', async () => {
  const store = await toyStore()
  const parent = await toySubmit(store, 'parent')
  const child = await toySubmit(store, 'child', { dependsOn: [parent.id] })
  const grandchild = await toySubmit(store, 'grandchild', { dependsOn: [child.id] })
  await end(store, parent.id, 'failed')
  const message = `It depends on task "parent" (run ${parent.id}), which failed.`
  expect(await store.getRun(child.id)).toMatchObject({ state: 'failed', reason: 'error', message })
  expect((await store.getRun(grandchild.id))?.message).toBe(`It depends on task "child" (run ${child.id}), which failed.`)
  expect((await eventTypes(store, grandchild.id)).at(-1)).toBe('run.finished')

  const stopped = await toySubmit(store, 'stopped')
  const other = await toySubmit(store, 'other', { dependsOn: [stopped.id] })
  await store.cancel(stopped.id, 'ada')
  expect((await store.getRun(other.id))?.message).toBe(`It depends on task "stopped" (run ${stopped.id}), which was cancelled.`)
  const late = await toySubmit(store, 'late', { dependsOn: [stopped.id] })
  expect(late).toMatchObject({ state: 'failed', reason: 'error' })
})

it('cancels a queued, a waiting and a running run, once, and none that has ended', async () => {
  const store = await toyStore()
  const parent = await toySubmit(store, 'parent')
  for (const run of [await toySubmit(store, 'queued'), await toySubmit(store, 'waiting', { dependsOn: [parent.id] }), parent]) {
    if (run.id === parent.id) await store.claim(run.id, 'n1')
    expect(await store.cancel(run.id, 'ada')).toMatchObject({ state: 'cancelled', message: 'Stopped by ada.' })
    await store.cancel(run.id, 'ada')
    expect((await eventTypes(store, run.id)).filter((it) => it === 'run.finished')).toHaveLength(1)
  }
  const done = await toySubmit(store, 'done')
  await end(store, done.id, 'succeeded')
  await expect(store.cancel(done.id, 'ada')).rejects.toThrow(`Run ${done.id} is succeeded; stop needs queued, running or waiting.`)
  await expect(store.cancel('rnone', 'ada')).rejects.toThrow('No run "rnone".')
})

it('counts the deaths of a run and gives up after the sixth in a row without progress', async () => {
  const store = await toyStore()
  const run = await toySubmit(store)
  for (let death = 1; death <= 5; death++) {
    await store.claim(run.id, `dead-${death}`)
    expect(await store.recover()).toEqual([run.id])
    expect(await store.getRun(run.id)).toMatchObject({ state: 'queued', crashes: death, node: null })
  }
  await store.claim(run.id, 'dead-6')
  await store.recover()
  expect(await store.getRun(run.id)).toMatchObject({
    state: 'failed',
    reason: 'crash_loop',
    message: 'Its process died 6 times in a row without finishing a step.',
  })
  expect(await store.recover()).toEqual([])
})

it('begins to count anew after a finished step', async () => {
  const store = await toyStore()
  const run = await toySubmit(store)
  for (let death = 1; death <= 12; death++) {
    const claim = await store.claim(run.id, `dead-${death}`)
    if (!claim) throw new Error('not claimed')
    if (death % 3 === 0)
      await store.keepStep(claim, { name: `s${death}`, inputHash: 'h', output: '1', event: { step: `s${death}` }, facts: {} })
    await store.recover()
  }
  expect(await store.getRun(run.id)).toMatchObject({ state: 'queued', crashes: 1 })
})

it('begins to count anew when a person resumes the run', async () => {
  const store = await toyStore()
  const run = await toySubmit(store)
  for (let death = 1; death <= 8; death++) {
    await store.claim(run.id, `dead-${death}`)
    await store.recover()
    await store.resume(run.id, 'ada')
  }
  expect(await store.getRun(run.id)).toMatchObject({ state: 'queued', crashes: 0 })
})

it('recovers a run once when several processes do it at the same time', async () => {
  const folder = temporaryFolder()
  const [a, b] = [await toyStore(folder), await toyStore(folder)]
  const runs = await Promise.all(Array.from({ length: 5 }, (_, at) => toySubmit(a, `t${at}`)))
  for (const run of runs) await a.claim(run.id, 'dead')
  const done = await Promise.all([a.recover(), b.recover(), a.recover(), b.recover()])
  expect(done.flat().toSorted()).toEqual(runs.map((it) => it.id).toSorted())
  for (const run of runs) {
    expect((await a.getRun(run.id))?.crashes).toBe(1)
    expect((await eventTypes(a, run.id)).filter((it) => it === 'run.interrupted')).toHaveLength(1)
  }
})
