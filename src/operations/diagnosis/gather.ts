import { join } from 'node:path'
import { isFinished } from '../../core/run.ts'
import { queueOrder } from '../../engine/schedule.ts'
import { optionsOf } from '../../steps/options.ts'
import type { Store } from '../../store/open.ts'
import type { RunRow } from '../../store/port.ts'
import { ALL_PROJECTS, type HeldRun } from '../../store/queue.ts'
import { type Context, settingsOf } from '../context.ts'
import { freeBytes } from '../gauges.ts'
import { queueLimits } from '../queue-settings.ts'
import { type ClosedProvider, type Dependency, type Facts, type QueuePlace, TOLD } from './facts.ts'

/** Looks at everything that a diagnosis needs; changes nothing. */
export async function gather(context: Context, store: Store, row: RunRow): Promise<Facts> {
  const nodes = store.livingNodes()
  const finished = isFinished(row.state)
  const [last] = await store.events(row.id, row.lastSeq - 1, 1)
  const free = await Promise.all([freeBytes(context.folders.state), freeBytes(join(context.folders.data, 'runs'))])
  const known = free.filter((it) => it !== null)
  return {
    now: context.clock.now(),
    row,
    events: await store.eventsOfType(row.id, TOLD),
    last: last ?? null,
    wakesAt: finished ? null : await store.wakesAt(row.id),
    pausing: row.state === 'running' && (await store.hasPause(row.id)),
    nodeLives: row.node !== null && nodes.includes(row.node),
    workers: context.host.resident || nodes.length > 0,
    queue: row.state === 'queued' ? await placeOf(context, store, row) : null,
    dependencies: await chain(store, row.id),
    closed: finished ? [] : await closedProviders(context, row),
    freeBytes: known.length === 0 ? null : Math.min(...known),
  }
}

async function placeOf(context: Context, store: Store, row: RunRow): Promise<QueuePlace> {
  const [queued, pauses, load] = [await store.queue.queuedRuns(), await store.queue.pauses(), await store.queue.load()]
  const { settings } = await settingsOf(context, null)
  const ours = (project: string) => pauses.filter((it) => it.scope === ALL_PROJECTS || it.scope === project)
  const now = context.clock.now()
  const stopped = (it: HeldRun) => (ours(it.project).length > 0 ? 'paused' : it.runAt > now ? 'scheduled' : it.held)
  const placed = queueOrder(queued, load, queueLimits(settings), { starts: 0, served: new Map(), now }, stopped)
  const own = placed.find((it) => it.run.run === row.id)
  return {
    pauses: ours(row.project),
    held: own?.run.held ?? null,
    position: own?.position ?? null,
    size: placed.filter((it) => it.position !== null).length,
    reason: own?.reason ?? null,
  }
}

// A longer chain is told as far as it goes to this number.
const MOST_DEPENDENCIES = 100

async function chain(store: Store, run: string): Promise<Dependency[]> {
  const found = new Map<string, Dependency>()
  let level = await store.dependenciesOf(run)
  for (let depth = 1; level.length > 0 && found.size < MOST_DEPENDENCIES; depth++) {
    const next: string[] = []
    for (const id of level) {
      const on = found.has(id) ? null : await store.getRun(id)
      if (on === null) continue
      found.set(id, { run: id, task: on.task.id, status: on.state, reason: on.reason, depth })
      // What has succeeded holds nobody up, nor does what came before it.
      if (on.state !== 'succeeded') next.push(...(await store.dependenciesOf(id)))
    }
    level = next
  }
  return [...found.values()]
}

async function closedProviders(context: Context, row: RunRow): Promise<ClosedProvider[]> {
  const health = await context.kit.router.health(optionsOf(row).settings)
  return health.flatMap(({ provider, health: it }) =>
    it.status === 'open' ? [{ provider, class: it.class, problem: it.problem, forMs: it.forMs }] : [],
  )
}
