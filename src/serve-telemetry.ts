import type { App } from './app.ts'
import type { Resident } from './app-host.ts'
import type { Clock } from './core/clock.ts'
import { problemOf } from './core/errors.ts'
import type { Redact } from './core/redact.ts'
import { measureGit, measureState } from './operations/gauges.ts'
import { createMeasures } from './operations/measures.ts'
import { readiness } from './operations/readiness.ts'
import { createRunBook } from './operations/run-book.ts'
import { createSpans } from './operations/spans.ts'
import type { Store } from './store/open.ts'
import { type AnsweredRequest, measureRequests } from './telemetry/http-metrics.ts'
import type { Logger } from './telemetry/logger.ts'
import { createMetrics } from './telemetry/metrics.ts'
import { createPages, type Pages } from './telemetry/pages.ts'
import { measureProcess } from './telemetry/process-metrics.ts'
import type { Traces } from './telemetry/traces.ts'

export interface ObserveOptions {
  app: Pick<App, 'store' | 'folders'>
  engine: Resident['engine']
  version: string
  redact: Redact
  draining: () => boolean
  log: Logger
  clock: Clock
  /** Where traces go; absent: nowhere. */
  otlpEndpoint?: string | undefined
}

/** How the daemon is seen from outside. */
export interface Observed extends Pages {
  /** Counts a request that was answered. */
  answered(request: AnsweredRequest): void
  close(): Promise<void>
}

// A store that fails is not asked a thousand times a second.
const AGAIN_MS = 1000

/** Metrics, health and readiness of a daemon; it counts from now on. */
export async function observe({ app, engine, version, redact, draining, log, clock, otlpEndpoint }: ObserveOptions): Promise<Observed> {
  const store = await app.store()
  const { folders } = app
  const metrics = createMetrics({ version, redact })
  measureProcess(metrics, { now: clock.now(), version })
  measureState({ metrics, store, folders })
  const endGit = measureGit(metrics)
  const answered = measureRequests(metrics)
  const over = new AbortController()
  const traces =
    otlpEndpoint === undefined ? null : (await import('./telemetry/traces.ts')).createTraces({ endpoint: otlpEndpoint, version, log })
  const counting = count(store, createRunBook(store), metrics, { clock, log, traces, signal: over.signal })
  const checks = readiness({ store, folders, engine: () => engine.problem(), draining })
  return {
    ...createPages({ metrics, checks, log, clock }),
    answered,
    async close() {
      over.abort()
      endGit()
      await counting
      await traces?.close()
      await metrics.close()
    },
  }
}

interface CountOptions {
  clock: Clock
  log: Logger
  traces: Traces | null
  signal: AbortSignal
}

/** Never rejects: what is not counted is no reason to end a daemon. */
async function count(
  store: Store,
  book: ReturnType<typeof createRunBook>,
  metrics: ReturnType<typeof createMetrics>,
  { clock, log, traces, signal }: CountOptions,
): Promise<void> {
  const measures = createMeasures(metrics, book, clock)
  const spans = traces === null ? null : createSpans(traces, store)
  let after: number | null = null
  while (!signal.aborted) {
    try {
      // The place in the feed is taken first: what comes while the book is read is counted once all the same.
      if (after === null) {
        const now = await store.lastPosition()
        await book.begin()
        after = now
      }
      for await (const event of store.feed({ after, signal })) {
        await measures.add(event)
        await spans?.add(event)
        after = event.position
      }
    } catch (error) {
      if (signal.aborted) return
      log.warn('events are not counted for a moment', { problem: problemOf(error) })
      await clock.sleep(AGAIN_MS, signal).catch(() => undefined)
    }
  }
}
