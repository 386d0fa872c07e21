import { expect, it, onTestFinished } from 'vitest'
import { type Clock, systemClock } from '../core/clock.ts'
import { createLogger } from './logger.ts'
import { createMetrics } from './metrics.ts'
import { createPages, type PagesOptions } from './pages.ts'

function bench(checks: PagesOptions['checks'], clock: Clock = systemClock) {
  const metrics = createMetrics({ version: '1.2.3', redact: (text) => text })
  onTestFinished(() => metrics.close())
  const lines: string[] = []
  const log = createLogger({ level: 'info', clock, redact: (text) => text, write: (line) => lines.push(line) })
  return { pages: createPages({ metrics, checks, log, clock }), lines }
}

it('is alive as long as it answers, and tells nothing else', async () => {
  const { pages } = bench({ store: () => Promise.reject(new Error('gone')) })
  const response = await pages.health()
  expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }])
})

it('is ready when all holds; else it says with 503 what does not', async () => {
  const good = await bench({ store: async () => null, disk: async () => null }).pages.ready()
  expect([good.status, await good.json()]).toEqual([200, { status: 'ready', checks: { store: 'ok', disk: 'ok' } }])
  const bad = await bench({ store: async () => null, disk: async () => '12 MB are free' }).pages.ready()
  expect([bad.status, await bad.json()]).toEqual([503, { status: 'not_ready', checks: { store: 'ok', disk: '12 MB are free' } }])
})

it('keeps the words of an error for the log, where paths may stand', async () => {
  const { pages, lines } = bench({ store: () => Promise.reject(new Error('cannot open /home/ann/.local/state/reeve/store.db')) })
  const response = await pages.ready()
  const text = await response.text()
  expect(response.status).toBe(503)
  expect(text).not.toContain('ann')
  expect(text).toContain('failed; the log says why')
  expect(lines.join('')).toContain('cannot open /home/ann')
})

it('is not ready when a check does not answer', async () => {
  const clock: Clock = { now: () => 0, sleep: async () => undefined }
  const response = await bench({ store: () => new Promise(() => undefined) }, clock).pages.ready()
  expect(await response.json()).toEqual({ status: 'not_ready', checks: { store: 'no answer for 5 s' } })
})

it('looks once for all who ask within a second', async () => {
  let [now, looks] = [0, 0]
  const clock: Clock = { now: () => now, sleep: (ms, signal) => systemClock.sleep(ms, signal) }
  const { pages } = bench({ store: async () => ((looks += 1), null) }, clock)
  await Promise.all([pages.ready(), pages.ready()])
  now = 900
  await pages.ready()
  expect(looks).toBe(1)
  now = 1100
  await pages.ready()
  expect(looks).toBe(2)
})

it('gives the metrics in the form of Prometheus, among them whether it is ready', async () => {
  const response = await bench({ disk: async () => 'full' }).pages.metrics()
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  expect(await response.text()).toContain('\nreeve_ready 0\n')
})
