import { expect, it, onTestFinished } from 'vitest'
import { redaction } from '../core/redact.ts'
import { measureRequests } from './http-metrics.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { measureProcess } from './process-metrics.ts'

const SECRET = 'sk-planted-0123456789abcdef'

function bench(): { metrics: Metrics; lines: (part: string) => Promise<string[]> } {
  const metrics = createMetrics({ version: '1.2.3', redact: redaction([SECRET]).redact })
  onTestFinished(() => metrics.close())
  return { metrics, lines: async (part) => (await metrics.text()).split('\n').filter((it) => it.includes(part)) }
}

it('tells counters, histograms and gauges with help and type, as Prometheus reads them', async () => {
  const { metrics, lines } = bench()
  const count = metrics.counter('reeve_things_total', 'Things.')
  count({ kind: 'a' })
  count({ kind: 'a' }, 2)
  metrics.histogram('reeve_wait_seconds', 'Waits.', [1, 10])({}, 5)
  let depth = 3
  metrics.gauge('reeve_depth', 'Depth.', () => [[depth]])
  expect(await lines('reeve_things')).toEqual([
    '# HELP reeve_things_total Things.',
    '# TYPE reeve_things_total counter',
    'reeve_things_total{kind="a"} 3',
  ])
  expect(await lines('reeve_wait')).toEqual([
    '# HELP reeve_wait_seconds Waits.',
    '# TYPE reeve_wait_seconds histogram',
    'reeve_wait_seconds_count 1',
    'reeve_wait_seconds_sum 5',
    'reeve_wait_seconds_bucket{le="1"} 0',
    'reeve_wait_seconds_bucket{le="10"} 1',
    'reeve_wait_seconds_bucket{le="+Inf"} 1',
  ])
  depth = 4
  expect(await lines('reeve_depth ')).toContain('reeve_depth 4')
})

it('tells 0 for what a gauge does not tell any more', async () => {
  const { metrics, lines } = bench()
  let state = 'queued'
  metrics.gauge('reeve_depth', 'Depth.', () => [[1, { state }]])
  expect(await lines('reeve_depth{')).toEqual(['reeve_depth{state="queued"} 1'])
  state = 'running'
  expect(await lines('reeve_depth{')).toEqual(['reeve_depth{state="queued"} 0', 'reeve_depth{state="running"} 1'])
})

it('takes secrets out of labels, cuts them and lets none end a line or a value', async () => {
  const { metrics, lines } = bench()
  const count = metrics.counter('reeve_things_total', 'Things.')
  count({ name: `x ${SECRET}`, line: 'a"\n\u001b[31m\\b{c="d"} 1\nreeve_fake 7', long: 'y'.repeat(1000) })
  const [line = '', ...more] = await lines('reeve_things_total{')
  expect(more).toEqual([])
  expect(line).not.toContain('planted')
  expect(line).toContain('name="x [redacted]"')
  expect(line).toMatch(/^reeve_things_total\{.*\} 1$/)
  expect(line).toContain(String.raw`line="a\" \\x1b[31m\\b{c=\"d\"} 1 reeve_fake 7"`)
  expect(line).toContain(`long="${'y'.repeat(64)}"`)
})

it('keeps the number of series bounded, whatever names come', async () => {
  const { metrics, lines } = bench()
  const count = metrics.counter('reeve_things_total', 'Things.')
  for (let at = 0; at < 3000; at++) count({ name: `n${at}` })
  const series = await lines('reeve_things_total{')
  expect(series.length).toBeLessThanOrEqual(500)
  expect(series.join('\n'), 'the rest is counted together').toContain('otel_metric_overflow="true"} 2501')
})

it('gathers before each scrape, once for those who ask together, and goes on without what cannot be gathered', async () => {
  const { metrics } = bench()
  let gathered = 0
  metrics.beforeScrape(async () => {
    gathered += 1
  })
  metrics.beforeScrape(() => Promise.reject(new Error('the store is gone')))
  metrics.gauge('reeve_depth', 'Depth.', () => [[gathered]])
  const answers = await Promise.all([metrics.text(), metrics.text(), metrics.text()])
  expect(new Set(answers).size).toBe(1)
  expect(answers[0]).toContain('reeve_depth 1')
  expect(await metrics.text()).toContain('reeve_depth 2')
})

it('tells what the process uses', async () => {
  const { metrics, lines } = bench()
  measureProcess(metrics, { now: 1_000_000, version: '1.2.3' })
  expect(await lines('reeve_info{')).toEqual([`reeve_info{version="1.2.3",node="${process.version}"} 1`])
  const value = async (name: string) => Number((await lines(`${name} `)).at(-1)?.split(' ')[1])
  expect(await value('process_resident_memory_bytes')).toBeGreaterThan(1_000_000)
  expect(await value('process_cpu_seconds_total')).toBeGreaterThan(0)
  expect(await value('nodejs_eventloop_lag_max_seconds')).toBeGreaterThanOrEqual(0)
  expect(await value('process_start_time_seconds')).toBeLessThan(1000)
})

it('counts requests without their paths', async () => {
  const { metrics, lines } = bench()
  const count = measureRequests(metrics)
  count({ method: 'GET', status: 200, via: 'tcp', ms: 3 })
  count({ method: 'X'.repeat(50), status: 405, via: 'socket', ms: 1 })
  expect(await lines('reeve_http_requests_total{')).toEqual([
    'reeve_http_requests_total{method="GET",status="200",via="tcp"} 1',
    'reeve_http_requests_total{method="other",status="405",via="socket"} 1',
  ])
})
