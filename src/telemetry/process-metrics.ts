import { readdir } from 'node:fs/promises'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Metrics } from './metrics.ts'

const NS = 1e9
const MICRO = 1e6
// A timer every 20 ms sees any delay that a person or a lease would notice.
const RESOLUTION_MS = 20

/** What this process uses, under the names that other exporters have as well, so that dashboards fit. */
export function measureProcess(metrics: Metrics, { now, version }: { now: number; version: string }): void {
  const startedAt = now / 1000 - process.uptime()
  metrics.gauge('reeve_info', 'Always 1; its labels tell the version.', () => [[1, { version, node: process.version }]])
  metrics.gauge('process_start_time_seconds', 'When the process began, in seconds since 1970.', () => [[startedAt]])
  metrics.observedCounter('process_cpu_seconds_total', 'Processor time used.', () => {
    const { user, system } = process.cpuUsage()
    return [[(user + system) / MICRO]]
  })
  metrics.gauge('process_resident_memory_bytes', 'Memory in use.', () => [[process.memoryUsage.rss()]])
  metrics.gauge('nodejs_heap_size_used_bytes', 'Memory of objects.', () => [[process.memoryUsage().heapUsed]])
  measureFiles(metrics)
  measureLoop(metrics)
}

function measureFiles(metrics: Metrics): void {
  let open: number | null = null
  metrics.beforeScrape(async () => {
    // Linux only; elsewhere nobody tells.
    open = (await readdir('/proc/self/fd').catch(() => null))?.length ?? null
  })
  metrics.gauge('process_open_fds', 'Files and connections that are open. Linux only.', () => (open === null ? [] : [[open]]))
}

/** How late timers were since the last scrape: whether something holds up everything else. */
function measureLoop(metrics: Metrics): void {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delay.enable()
  let seen = { p50: 0, p99: 0, max: 0 }
  metrics.beforeScrape(() => {
    // What is measured holds the timer's own interval.
    const late = (ns: number) => (Number.isFinite(ns) ? Math.max(0, ns / NS - RESOLUTION_MS / 1000) : 0)
    seen = { p50: late(delay.percentile(50)), p99: late(delay.percentile(99)), max: delay.count === 0 ? 0 : late(delay.max) }
    delay.reset()
  })
  metrics.gauge('nodejs_eventloop_lag_p50_seconds', 'Lateness of timers since the last scrape, median.', () => [[seen.p50]])
  metrics.gauge('nodejs_eventloop_lag_p99_seconds', 'The same, 99 of 100.', () => [[seen.p99]])
  metrics.gauge('nodejs_eventloop_lag_max_seconds', 'The same, the worst.', () => [[seen.max]])
}
