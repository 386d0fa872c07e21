import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import { temporaryFolder } from '../test/support/folder.ts'
import { soon, toyEngine, toyStore, toySubmit } from '../test/support/toy-runs.ts'
import { systemClock } from './core/clock.ts'
import { observe } from './serve-telemetry.ts'
import { NO_LOG } from './telemetry/logger.ts'

it('counts the runs of a daemon as they go, and is ready as long as its engine is at work', async () => {
  const home = temporaryFolder()
  const folders = { config: home, cache: home, state: join(home, 'state'), data: join(home, 'data') }
  const store = await toyStore(folders.state)
  const engine = await toyEngine(store, { toy: async () => ({ status: 'succeeded' }) })
  const observed = await observe({
    app: { store: () => Promise.resolve(store), folders },
    engine,
    version: '1.2.3',
    redact: (text) => text,
    draining: () => false,
    log: NO_LOG,
    clock: { ...systemClock, now: () => (clockAt += 2000) },
  })
  let closed = false
  onTestFinished(() => (closed ? undefined : observed.close()))

  const { id } = await toySubmit(store)
  await engine.waitFor(id, soon())
  observed.answered({ method: 'GET', status: 200, via: 'tcp', ms: 1 })
  const done = 'reeve_runs_finished_total{role="implementer",workflow="toy",status="succeeded",reason=""} 1\n'
  await vi.waitFor(async () => expect(await (await observed.metrics()).text()).toContain(done), { timeout: 10_000 })
  expect(await (await observed.metrics()).text()).toContain('reeve_http_requests_total{method="GET",status="200",via="tcp"} 1\n')
  expect((await observed.ready()).status).toBe(200)

  await engine.stop()
  const response = await observed.ready()
  expect(response.status).toBe(503)
  expect(await response.json()).toMatchObject({ status: 'not_ready', checks: { store: 'ok', engine: 'no work is looked for' } })
  expect((await observed.health()).status).toBe(200)
  await observed.close()
  closed = true
})

// Each look at the time is later than what readiness remembers.
let clockAt = 0
