import type { Client } from '../client/client.ts'
import type { RunEvent } from '../core/event.ts'
import type { Call } from './tool.ts'

// Events come in bursts: what follows the first within this time is told with it.
const BURST_MS = 100

const AT_REST = new Set(['run.finished', 'run.waiting'])

export interface Wait {
  /** 0: only what is there. */
  waitMs: number
  until?: 'event' | 'rest'
  /** Of a long run, the first so many. */
  most?: number
}

/**
 * Events of a run after a number: those that are there, else the first that come within the time; with `rest` all until it has ended or
 * waits. Leaves when the call is cancelled; that never touches the run.
 */
export async function eventsAfter(call: Call, run: string, after: number, { waitMs, until = 'event', most }: Wait): Promise<RunEvent[]> {
  const { client, ctx } = call
  if (waitMs <= 0) return collect(client, { run, after, follow: false }, { signal: ctx.mcpReq.signal, most })
  const over = new AbortController()
  const limit = setTimeout(() => over.abort(), waitMs)
  const stop = showProgress(call, run)
  let burst: NodeJS.Timeout | undefined
  try {
    const signal = AbortSignal.any([over.signal, ctx.mcpReq.signal])
    const onEvent = ({ type }: RunEvent) => {
      if (until === 'event' || AT_REST.has(type)) burst ??= setTimeout(() => over.abort(), BURST_MS)
    }
    return await collect(client, { run, after, follow: true }, { signal, most, onEvent })
  } finally {
    clearTimeout(limit)
    clearTimeout(burst)
    stop()
  }
}

interface Collecting {
  signal: AbortSignal
  most: number | undefined
  onEvent?: (event: RunEvent) => void
}

/** Events until there are enough, the stream ends or the signal leaves it; what came before counts. */
async function collect(
  client: Client,
  input: { run: string; after: number; follow: boolean },
  { signal, most = Number.POSITIVE_INFINITY, onEvent }: Collecting,
): Promise<RunEvent[]> {
  const events: RunEvent[] = []
  try {
    for await (const event of client.stream('runs.events', input, signal)) {
      events.push(event)
      onEvent?.(event)
      if (events.length >= most) break
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
  return events
}

/** Tells a host that asked for it that the call is alive. */
function showProgress({ ctx, progressMs }: Call, run: string): () => void {
  const progressToken = ctx.mcpReq._meta?.progressToken
  if (progressToken === undefined) return () => undefined
  let progress = 0
  const timer = setInterval(() => {
    progress += 1
    const params = { progressToken, progress, message: `waiting for run ${run}` }
    // Whoever is gone is not told.
    void ctx.mcpReq.notify({ method: 'notifications/progress', params }).catch(() => undefined)
  }, progressMs)
  return () => clearInterval(timer)
}
