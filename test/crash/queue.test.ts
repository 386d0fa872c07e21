import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it, vi } from 'vitest'
import { temporaryFolder } from '../support/folder.ts'
import { toyStore, toySubmit } from '../support/toy-runs.ts'
import { toyTask } from '../support/toy-task.ts'
import { startWorker } from './engine-workers.ts'

const WORKER = fileURLToPath(new URL('./queue-worker.ts', import.meta.url))

it('never has more runs at work than the limits allow, over three processes', async () => {
  const folder = temporaryFolder()
  const store = await toyStore(folder)
  const options = { settings: { runs: { max_concurrent: 3 } } }
  for (let at = 0; at < 36; at++) {
    const role = at % 3 === 0 ? 'backend' : 'frontend'
    await toySubmit(store, `t${at}`, { task: toyTask(`t${at}`, { role }), project: at % 2 === 0 ? '/a' : '/b', options })
  }
  // They begin together, or the first would have done it all before the last is there.
  await store.queue.pauseQueue('*', 'paused', 'test')
  const workers = [startWorker(folder, [], {}, WORKER), startWorker(folder, [], {}, WORKER), startWorker(folder, [], {}, WORKER)]
  await vi.waitUntil(() => store.livingNodes().length === workers.length, { timeout: 50_000, interval: 20 })
  await store.queue.resumeQueue('*')
  for (const it of workers) expect(await it.ended, it.problem()).toBe(0)

  const now = new Map<string, number>()
  const most = new Map<string, number>()
  const processes = new Set<string>()
  for (const line of readFileSync(join(folder, 'work.log'), 'utf8').trim().split('\n')) {
    const [what = '', project = '', role = '', pid = ''] = line.split(' ')
    processes.add(pid)
    for (const key of ['all', project, role]) {
      const count = (now.get(key) ?? 0) + (what === 'begin' ? 1 : -1)
      now.set(key, count)
      most.set(key, Math.max(most.get(key) ?? 0, count))
    }
  }
  expect(processes.size, 'several processes took part').toBeGreaterThan(1)
  const peaks = Object.fromEntries(most)
  expect(peaks['all']).toBeLessThanOrEqual(5)
  expect(peaks['/a']).toBeLessThanOrEqual(3)
  expect(peaks['/b']).toBeLessThanOrEqual(3)
  expect(peaks['backend']).toBeLessThanOrEqual(2)
  expect(peaks['all'], 'and uses what they allow').toBeGreaterThan(3)
  expect((await store.listRuns({ states: ['succeeded'] })).length).toBe(36)
})
