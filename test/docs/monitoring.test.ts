import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { measureGit, measureState } from '../../src/operations/gauges.ts'
import { createMeasures } from '../../src/operations/measures.ts'
import type { RunBook } from '../../src/operations/run-book.ts'
import type { Store } from '../../src/store/open.ts'
import { measureRequests } from '../../src/telemetry/http-metrics.ts'
import { NO_LOG } from '../../src/telemetry/logger.ts'
import type { Metrics } from '../../src/telemetry/metrics.ts'
import { createPages } from '../../src/telemetry/pages.ts'
import { measureProcess } from '../../src/telemetry/process-metrics.ts'

/** Every metric that the daemon makes, with its type. */
function made(): Map<string, string> {
  const types = new Map<string, string>()
  const note = (type: string) => (name: string) => {
    types.set(name, type)
    return () => undefined
  }
  const metrics: Metrics = {
    counter: note('counter'),
    histogram: note('histogram'),
    gauge: note('gauge'),
    observedCounter: note('counter'),
    beforeScrape: () => undefined,
    text: () => Promise.resolve(''),
    close: () => Promise.resolve(),
  }
  measureProcess(metrics, { now: 0, version: '1.2.3' })
  measureState({ metrics, store: {} as Store, folders: { state: '/', data: '/' } })
  measureGit(metrics)()
  measureRequests(metrics)
  createMeasures(metrics, {} as RunBook, { now: () => 0 })
  createPages({ metrics, checks: {}, log: NO_LOG })
  return types
}

it('the guide on monitoring names every metric with its type, and no other', () => {
  const text = readFileSync(join(import.meta.dirname, '../../docs/guides/monitoring.md'), 'utf8')
  const told = new Map([...text.matchAll(/^\| `(\w+)` \| (counter|histogram|gauge) \|/gm)].map(([, name = '', type = '']) => [name, type]))
  expect(Object.fromEntries(told)).toEqual(Object.fromEntries(made()))
})
