import type { QueuedRun } from '../store/queue.ts'
import { addLoad, type Limited, type Load, limitInTheWay, type QueueLimits } from '../store/queue-limits.ts'

/** What was begun before, as far as it decides who comes next. */
export interface History {
  /** Runs begun so far. */
  starts: number
  /** Project -> number of the start that was its last; a project that is missing comes first. */
  served: ReadonlyMap<string, number>
  /** Epoch ms. */
  now: number
}

/** So many starts, then one for whoever has waited longest. */
export const OLDEST_EVERY = 5
// Below that, a run waits because others are more urgent, as was asked for.
export const LONG_WAIT_MS = 3_600_000

/**
 * The run to begin next; null where limits leave room for none. Pure. Urgent ones first; among equals the project with fewer runs at work, then
 * the one that was served longest ago, then the older run. Every fifth start goes to the run that has waited longest, if for more than an hour,
 * whatever its priority: so each run that limits leave room for begins some day, however many urgent ones keep coming.
 */
export function nextRun<T extends QueuedRun>(candidates: readonly T[], load: Load, limits: QueueLimits, history: History): T | null {
  const able = candidates.filter((it) => limitInTheWay(it, load, limits) === null)
  const oldest = history.starts % OLDEST_EVERY === OLDEST_EVERY - 1 ? overdue(able, history.now) : null
  return oldest ?? first(able, byTurn(load, history))
}

function overdue<T extends QueuedRun>(able: readonly T[], now: number): T | null {
  return first(
    able.filter((it) => now - waitsSince(it) > LONG_WAIT_MS),
    (a, b) => waitsSince(a) - waitsSince(b) || byAge(a, b),
  )
}

function waitsSince(run: QueuedRun): number {
  return Math.max(run.createdAt, run.runAt)
}

type Compare = (a: QueuedRun, b: QueuedRun) => number

function byTurn(load: Load, { served }: Pick<History, 'served'>): Compare {
  const atWork = (it: QueuedRun) => load.projects.get(it.project) ?? 0
  const last = (it: QueuedRun) => served.get(it.project) ?? -1
  return (a, b) => b.priority - a.priority || atWork(a) - atWork(b) || last(a) - last(b) || byAge(a, b)
}

/** Ids begin with the time at which they were made. */
function byAge(a: QueuedRun, b: QueuedRun): number {
  return a.run < b.run ? -1 : 1
}

function first<T extends QueuedRun>(runs: readonly T[], compare: Compare): T | null {
  let best: T | null = null
  for (const it of runs) if (best === null || compare(it, best) < 0) best = it
  return best
}

/** A queued run in its place. */
export interface Placed<T extends QueuedRun> {
  run: T
  /** From 1 among those that begin without anybody's doing; null: this one does not. */
  position: number | null
  /** Why it waits; null: it begins next. */
  reason: string | null
}

/** Why a run does not begin by itself, whatever its turn; null: nothing of that kind. */
export type Stopped<T extends QueuedRun> = (run: T) => string | null

/**
 * The whole queue in the order in which it will be begun as far as that is known now, each run with the reason why it has to wait. `queued`
 * oldest first. Linear in the runs, times the projects that have some of one priority.
 */
export function queueOrder<T extends QueuedRun>(
  queued: readonly T[],
  load: Load,
  limits: QueueLimits,
  history: History,
  stopped: Stopped<T>,
): Placed<T>[] {
  const going: T[] = []
  const apart: Placed<T>[] = []
  for (const run of queued) {
    const reason = stopped(run)
    if (reason === null) going.push(run)
    else apart.push({ run, position: null, reason })
  }
  const groups = grouped(going)
  const now = { load: copyOf(load), history: { ...history, served: new Map(history.served) } }
  const placed = takeTurns(groups, now, limits)
  const full = copyOf(now.load)
  for (const { run, reason } of inTurn(groups, now, (it) => limitInTheWay(it, full, limits) ?? 'its turn comes after others')) {
    placed.push({ run, reason })
  }
  return [...placed.map((it, at) => ({ ...it, position: at + 1 })), ...apart]
}

interface Simulated {
  load: Load
  history: { starts: number; served: Map<string, number>; now: number }
}

/** Runs that no rule tells apart, oldest first; taken from the end. */
type Group<T> = T[]

function grouped<T extends QueuedRun>(runs: readonly T[]): Group<T>[] {
  const groups = new Map<string, T[]>()
  for (const it of runs) {
    const key = JSON.stringify([it.priority, it.project, it.role, it.provider, it.projectLimit])
    const group = groups.get(key)
    if (group) group.push(it)
    else groups.set(key, [it])
  }
  return [...groups.values()].map((it) => it.toReversed())
}

function headsOf<T>(groups: readonly Group<T>[]): T[] {
  return groups.flatMap((it) => it.at(-1) ?? [])
}

/** Those that begin now: as many as limits leave room for. */
function takeTurns<T extends QueuedRun>(groups: Group<T>[], now: Simulated, limits: QueueLimits): { run: T; reason: string | null }[] {
  const taken: { run: T; reason: null }[] = []
  for (;;) {
    const run = nextRun(headsOf(groups), now.load, limits, now.history)
    if (run === null) return taken
    take(groups, run, now)
    taken.push({ run, reason: null })
  }
}

/** The others, as if each in its turn found room. */
function* inTurn<T extends QueuedRun>(
  groups: Group<T>[],
  now: Simulated,
  reasonOf: (run: Limited) => string,
): Generator<{ run: T; reason: string }> {
  const priorities = [...new Set(headsOf(groups).map((it) => it.priority))].toSorted((a, b) => b - a)
  for (const priority of priorities) {
    const same = groups.filter((it) => it.at(-1)?.priority === priority)
    for (;;) {
      const run = first(headsOf(same), byTurn(now.load, now.history))
      if (run === null) break
      take(same, run, now)
      yield { run, reason: reasonOf(run) }
    }
  }
}

function take<T extends QueuedRun>(groups: Group<T>[], run: T, { load, history }: Simulated): void {
  groups.find((it) => it.at(-1) === run)?.pop()
  addLoad(load, run)
  history.served.set(run.project, history.starts)
  history.starts += 1
}

function copyOf(load: Load): Load {
  return { total: load.total, projects: new Map(load.projects), roles: new Map(load.roles), providers: new Map(load.providers) }
}
