import { randomBytes } from 'node:crypto'
import { type Clock, systemClock } from '../core/clock.ts'
import { problemOf, ReeveError } from '../core/errors.ts'
import type { RunId } from '../core/ids.ts'
import { isFinished } from '../core/run.ts'
import type { Store } from '../store/open.ts'
import type { RunRow } from '../store/port.ts'
import { loadOf, NO_LIMITS, type QueueLimits } from '../store/queue-limits.ts'
import { createTally } from '../store/tally.ts'
import { activate, limitTime } from './activation.ts'
import { interrupt, type Life } from './life.ts'
import type { Workflow } from './port.ts'
import { nextRun } from './schedule.ts'
import { awaitedBy, needsSomebody } from './waiting.ts'

export interface EngineOptions {
  store: Store
  workflows: Readonly<Record<string, Workflow>>
  clock?: Clock
  /** Name of this node for people; a unique id is made from it. */
  node?: string
  /** Runs at work in this process at the same time. */
  concurrency?: number
  /** Limits over all processes of the data folder, besides each run's own of its project. */
  limits?: QueueLimits
  /** Why a run cannot be worked on here now; null: it can. Asked when its turn has come; it stays queued with the reason, for a while. */
  hindrance?: (row: RunRow) => Promise<string | null>
  /** Called when a run begins or goes on here, before its workflow. A throw fails the run. */
  onActivate?: (row: RunRow) => Promise<void> | void
  /** Called when a run is let go here: ended, parked, handed back, or lost. Must not throw. */
  onRelease?: (row: RunRow) => void
}

export interface Engine {
  /** Id under which this process claims runs. */
  readonly node: string
  /** Begins to work: on the runs that `only` allows, on all when it is absent. Puts dead processes' runs back first. */
  start(options?: { only?: ReadonlySet<RunId> }): Promise<void>
  /** May work on this run too. */
  add(run: RunId): void
  /** Looks for work at once. */
  poke(): void
  /**
   * The run as soon as it has ended or waits for somebody. A wait that ends by itself (quota with a time, a dependency that is at work) goes on
   * being waited for. Rejects with the signal's reason, or when the store fails.
   */
  waitFor(run: RunId, signal: AbortSignal): Promise<RunRow>
  /** Takes nothing new and hands runs back at their next step boundary. True: nothing is at work any more. */
  drain(timeoutMs: number): Promise<boolean>
  /** Aborts the steps at work and hands their runs back to the queue; no crash is counted. */
  detach(): Promise<void>
  /** Detaches and ends. The store stays open. */
  stop(): Promise<void>
  /** Why it looks after nothing, in words that may be told to everybody; null: it does. */
  problem(): string | null
}

const TRY_AGAIN_MS = 200
// Many changes in a row are looked at once.
const GATHER_MS = 5
const RECOVER_EVERY_MS = 2000
// A key that was missing is not there a moment later; whoever brings it says so.
const HOLD_MS = 30_000
// Between two looks at the runs at work here: a queue full of runs that cannot begin must not keep it from them.
const MOST_TRIES = 20
// It looks every two seconds; what takes so long hangs.
const SILENT_MS = 60_000
// The store is tried again after a failure; this many in a row are reported to those who wait.
const MAX_FAILURES = 5

const NO_LOAD = loadOf([])

interface Work {
  life: Life
  done: Promise<void>
}

export function createEngine(options: EngineOptions): Engine {
  const { store, workflows } = options
  const limits = options.limits ?? NO_LIMITS
  const clock = options.clock ?? systemClock
  const concurrency = options.concurrency ?? 3
  const node = `${options.node ?? `p${process.pid}`}-${randomBytes(6).toString('hex')}`
  const atWork = new Map<RunId, Work>()
  const added = new Set<RunId>()
  const served = new Map<string, number>()
  const over = new AbortController()
  let poke = new AbortController()
  let starts = 0
  /** Null: all. */
  let allowed: ReadonlySet<RunId> | null = new Set()
  let draining = false
  let failures = 0
  let lastProblem: unknown = null
  let recoveredAt = Number.NEGATIVE_INFINITY
  let lookedAt = 0
  let loop: Promise<void> | null = null

  const may = (run: RunId) => allowed === null || added.has(run) || allowed.has(run)

  async function start({ only }: { only?: ReadonlySet<RunId> } = {}): Promise<void> {
    if (loop) throw new Error('The engine was started already.')
    allowed = only ?? null
    // What kept another process from beginning a run may be no hindrance here.
    if (allowed === null) await store.queue.releaseHolds(null)
    store.holdNode(node)
    loop = dispatch()
  }

  async function dispatch(): Promise<void> {
    const watch = store.watch(null)
    while (!over.signal.aborted) {
      poke = new AbortController()
      try {
        lookedAt = clock.now()
        await tick()
        failures = 0
      } catch (error) {
        failures += 1
        lastProblem = error
        if (failures === MAX_FAILURES) store.wakeWatchers()
        await clock.sleep(TRY_AGAIN_MS, over.signal).catch(() => undefined)
      }
      if (over.signal.aborted) break
      await watch.next(await idleMs(), poke.signal)
      await clock.sleep(GATHER_MS)
    }
    watch.close()
  }

  /** Changes wake the loop; without one it looks again when something is due, or to see whether a process has died. */
  async function idleMs(): Promise<number> {
    if (failures > 0) return 0
    const due = await store.nextDue().catch(() => null)
    return due === null ? RECOVER_EVERY_MS : Math.min(due, RECOVER_EVERY_MS)
  }

  async function tick(): Promise<void> {
    await lookAfter()
    if (draining) return
    if (clock.now() - recoveredAt >= RECOVER_EVERY_MS) {
      await store.recover((run, by) => by === node && !atWork.has(run))
      recoveredAt = clock.now()
    }
    await store.wakeDue(may)
    if (atWork.size < concurrency) await claimMore()
  }

  /** Notices what others did to the runs at work here. */
  async function lookAfter(): Promise<void> {
    const states = await store.statesOf([...atWork.keys()])
    for (const [run, { life }] of atWork) {
      const now = states.get(run)
      if (now && (now.epoch !== life.claim.epoch || isFinished(now.state))) interrupt(life, { kind: 'gone' })
    }
  }

  async function claimMore(): Promise<void> {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      if (atWork.size >= concurrency || draining) return
      const heads = await store.queue.queueHeads(allowed === null ? null : [...allowed, ...added])
      const next = nextRun(
        heads.filter((it) => !atWork.has(it.run)),
        heads.length === 0 ? NO_LOAD : await store.queue.load(),
        limits,
        { starts, served, now: clock.now() },
      )
      if (next === null) return
      if (await isHindered(next.run)) continue
      const claimed = await store.claim(next.run, node, limits)
      if (!claimed) continue
      served.set(next.project, starts)
      starts += 1
      begin(claimed)
    }
    poke.abort()
  }

  async function isHindered(run: RunId): Promise<boolean> {
    const row = options.hindrance === undefined ? null : await store.getRun(run)
    const reason = row === null ? null : await options.hindrance?.(row).catch(problemOf)
    if (reason === null || reason === undefined) return false
    await store.queue.holdRun(run, reason, HOLD_MS)
    return true
  }

  function begin(claimed: NonNullable<Awaited<ReturnType<Store['claim']>>>): void {
    const life: Life = {
      store,
      clock,
      claim: { run: claimed.run, epoch: claimed.epoch },
      controller: new AbortController(),
      draining: () => draining,
      row: claimed.row,
      left: null,
      atWork: new Set(),
      starts: new Map(),
      tally: createTally(),
      asked: new Set(),
      used: new Set(),
    }
    atWork.set(claimed.run, { life, done: work(life, claimed.activeMs) })
  }

  /** Never rejects. A run that the store would not let go of counts as crashed: the next look finds it, and tries it again. */
  async function work(life: Life, activeMs: number): Promise<void> {
    const { run } = life.claim
    try {
      await live(life, activeMs)
    } catch (error) {
      lastProblem = error
    } finally {
      atWork.delete(run)
      options.onRelease?.(life.row)
      poke.abort()
    }
  }

  async function live(life: Life, activeMs: number): Promise<void> {
    const workflow = workflows[life.row.workflow] ?? (() => Promise.reject(unknownWorkflow(life.row.workflow)))
    const unlimited = limitTime(life, activeMs)
    try {
      await activate(life, async (run) => {
        await options.onActivate?.(life.row)
        return workflow(run)
      })
    } finally {
      unlimited()
    }
  }

  function unknownWorkflow(workflow: string): ReeveError {
    return new ReeveError('workflow_not_found', { workflow, known: Object.keys(workflows).toSorted().join(', ') || 'none' })
  }

  async function waitFor(run: RunId, signal: AbortSignal): Promise<RunRow> {
    let watch = store.watch([run])
    let awaited = false
    try {
      for (;;) {
        signal.throwIfAborted()
        const row = await store.getRun(run)
        if (!row) throw new ReeveError('run_not_found', { run })
        if (isFinished(row.state) || (row.state === 'waiting' && (await needsSomebody(store, row)))) return row
        if (failures >= MAX_FAILURES) throw storeFailed(store.folder, lastProblem)
        if (row.reason === 'dependency' && !awaited) {
          // One of those may come to need somebody. Watched first, then looked at.
          watch.close()
          watch = store.watch([run, ...(await awaitedBy(store, run))])
          awaited = true
          continue
        }
        await watch.next(null, signal)
      }
    } finally {
      watch.close()
    }
  }

  const allDone = () => Promise.all([...atWork.values()].map((it) => it.done))

  async function drain(timeoutMs: number): Promise<boolean> {
    draining = true
    const late = new AbortController()
    await Promise.race([allDone(), clock.sleep(timeoutMs, late.signal).catch(() => undefined)])
    late.abort()
    return atWork.size === 0
  }

  async function detach(): Promise<void> {
    draining = true
    for (const { life } of atWork.values()) interrupt(life, { kind: 'hand-back', message: 'Detached: the run goes on when it is resumed.' })
    await allDone()
  }

  async function stop(): Promise<void> {
    await detach()
    over.abort()
    poke.abort()
    await loop
    // A claim that was being made while the engine was told to stop.
    await detach()
    if (loop) store.releaseNode(node)
  }

  function problem(): string | null {
    if (!loop || over.signal.aborted) return 'no work is looked for'
    if (failures > 0) return `looking for work has failed ${failures} times in a row`
    const silent = clock.now() - lookedAt
    return silent > SILENT_MS ? `work was last looked for ${Math.round(silent / 1000)} s ago` : null
  }

  return {
    node,
    start,
    problem,
    add(run) {
      added.add(run)
      poke.abort()
    },
    poke: () => poke.abort(),
    waitFor,
    drain,
    detach,
    stop,
  }
}

function storeFailed(path: string, problem: unknown): ReeveError {
  return problem instanceof ReeveError ? problem : new ReeveError('store_failed', { path, problem: problemOf(problem) })
}
