import { type Clock, systemClock } from '../core/clock.ts'
import { problemOf } from '../core/errors.ts'
import type { Logger } from './logger.ts'
import { METRICS_TYPE, type Metrics } from './metrics.ts'

/** What is wrong, as a short sentence for everybody: no path, no secret. Null: nothing. */
export type ReadyCheck = () => Promise<string | null>

export interface PagesOptions {
  metrics: Metrics
  /** What has to hold for new work to be taken, by name. */
  checks: Readonly<Record<string, ReadyCheck>>
  log: Logger
  clock?: Clock
}

/** What the process says of itself over HTTP. */
export interface Pages {
  /** `{"status":"ok"}` as long as the process answers at all. */
  health(): Promise<Response>
  /** `{"status":"ready","checks":{"store":"ok"}}`, or 503 with `not_ready` and what is wrong. */
  ready(): Promise<Response>
  metrics(): Promise<Response>
}

// Whoever waits longer for an answer of the store is not ready, whatever the answer.
const CHECK_MS = 5000
// Probes of several programs, or of one that hurries, cost one look at the disk.
const KEPT_MS = 1000

export function createPages({ metrics, checks, log, clock = systemClock }: PagesOptions): Pages {
  let last: { at: number; found: Promise<Record<string, string>> } | null = null

  function found(): Promise<Record<string, string>> {
    const now = clock.now()
    if (last === null || now - last.at > KEPT_MS || now < last.at) last = { at: now, found: lookAt(checks, clock, log) }
    return last.found
  }

  let ready = true
  metrics.beforeScrape(async () => {
    ready = isReady(await found())
  })
  metrics.gauge('reeve_ready', '1: new work is taken. 0: it is not, see /ready.', () => [[ready ? 1 : 0]])

  return {
    health: async () => Response.json({ status: 'ok' }),
    async ready() {
      const results = await found()
      return isReady(results)
        ? Response.json({ status: 'ready', checks: results })
        : Response.json({ status: 'not_ready', checks: results }, { status: 503 })
    },
    metrics: async () => new Response(await metrics.text(), { headers: { 'content-type': METRICS_TYPE } }),
  }
}

function isReady(results: Readonly<Record<string, string>>): boolean {
  return Object.values(results).every((it) => it === 'ok')
}

async function lookAt(checks: PagesOptions['checks'], clock: Clock, log: Logger): Promise<Record<string, string>> {
  const results = Object.entries(checks).map(async ([name, check]) => {
    const over = new AbortController()
    const late = clock.sleep(CHECK_MS, over.signal).then(
      () => `no answer for ${CHECK_MS / 1000} s`,
      () => null,
    )
    // The words of an error hold paths; they are for the log.
    const answer = check().catch((error: unknown) => {
      log.warn('not ready', { check: name, problem: problemOf(error) })
      return 'failed; the log says why'
    })
    const problem = await Promise.race([answer, late])
    over.abort()
    return [name, problem ?? 'ok'] as const
  })
  return Object.fromEntries(await Promise.all(results))
}
