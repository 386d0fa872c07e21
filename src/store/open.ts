import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { backup } from 'node:sqlite'
import { Kysely, sql } from 'kysely'
import { type Clock, systemClock } from '../core/clock.ts'
import { problemOf, ReeveError } from '../core/errors.ts'
import type { EventType, FeedEvent, RunEvent } from '../core/event.ts'
import type { RunId } from '../core/ids.ts'
import type { Redact } from '../core/redact.ts'
import * as admissions from './admissions.ts'
import * as answers from './answers.ts'
import * as audit from './audit.ts'
import { type Bound, bind } from './bind.ts'
import * as breakers from './breakers.ts'
import * as costs from './costs.ts'
import { createDurations, type Durations } from './durations.ts'
import type { Ending } from './ending.ts'
import * as events from './events.ts'
import * as feed from './feed.ts'
import { createHub, type Watch } from './hub.ts'
import * as journal from './journal.ts'
import * as keys from './keys.ts'
import type { Claim, Parking } from './lifecycle.ts'
import * as lifecycle from './lifecycle.ts'
import { migrateStore } from './migrate.ts'
import * as nodes from './nodes.ts'
import { otherWriters } from './others.ts'
import type { RunFacts, RunRow, SubmitRequest } from './port.ts'
import * as queue from './queue.ts'
import type { QueueLimits } from './queue-limits.ts'
import * as recovery from './recovery.ts'
import * as runs from './runs.ts'
import { type Db, MIGRATIONS } from './schema.ts'
import * as signals from './signals.ts'
import { openDatabase, sqliteDialect } from './sqlite.ts'
import * as statistics from './statistics.ts'
import type { Spent } from './tally.ts'
import { createTurns } from './turns.ts'
import { append, type Context, fence, write } from './tx.ts'
import * as webhooks from './webhooks.ts'
import * as load from './workload.ts'

export interface StoreOptions {
  /** Time of the store for tests; the database's own when absent. */
  clock?: Clock
  /** What takes secrets out of events; nothing is when absent. */
  redact?: Redact
}

/** Opens the store of a data folder, making and updating it where needed. Many processes may have it open. Throws `store_newer`, `store_failed`. */
export async function openStore(folder: string, options: StoreOptions = {}): Promise<Store> {
  const path = join(folder, 'store.db')
  const clock = options.clock ?? systemClock
  try {
    mkdirSync(join(folder, 'nodes'), { recursive: true, mode: 0o700 })
    const database = openDatabase(path)
    const db: Db = new Kysely({ dialect: sqliteDialect(database, clock) })
    try {
      await migrateStore({ path, database, db: db as unknown as Kysely<unknown>, clock }, MIGRATIONS)
    } catch (error) {
      database.close()
      throw error
    }
    const given = options.clock
    const now = () => (given ? sql<number>`${given.now()}` : sql<number>`cast(unixepoch('subsec') * 1000 as integer)`)
    return new Store({
      folder,
      db,
      database,
      hub: createHub(clock, otherWriters(database, db)),
      clock,
      now,
      ...(options.redact && { redact: options.redact }),
    })
  } catch (error) {
    if (error instanceof ReeveError) throw error
    throw new ReeveError('store_failed', { path, problem: problemOf(error) }, { cause: error })
  }
}

const ROUTING = {
  admit: admissions.admit,
  renewAdmission: admissions.renewAdmission,
  endAdmission: admissions.endAdmission,
  closeAccount: admissions.closeAccount,
  openAccount: admissions.openAccount,
  breakers: breakers.breakers,
  breakerFailed: breakers.breakerFailed,
  breakerClosed: breakers.breakerClosed,
  takeProbe: breakers.takeProbe,
  freeProbe: breakers.freeProbe,
  allBreakers: statistics.allBreakers,
}
const QUEUE = {
  queueHeads: queue.queueHeads,
  queuedRuns: queue.queuedRuns,
  runsAtWork: queue.runsAtWork,
  holdRun: queue.holdRun,
  releaseHolds: queue.releaseHolds,
  pauses: queue.pauses,
  pauseQueue: queue.pauseQueue,
  resumeQueue: queue.resumeQueue,
  load: (ctx: Context) => queue.loadNow(ctx.db),
}
const ACCESS = {
  addKey: keys.addKey,
  findKey: keys.findKey,
  listKeys: keys.listKeys,
  revokeKey: keys.revokeKey,
  keyUsed: keys.keyUsed,
  appendAudit: audit.appendAudit,
  auditLines: audit.auditLines,
  auditPage: audit.auditPage,
  auditHead: audit.auditHead,
  findAnswer: answers.findAnswer,
  keepAnswer: answers.keepAnswer,
}

/**
 * Runs, journal, events, signals and limits of one data folder: the only truth about them. Each method is one transaction or one read.
 * Those that take a `Claim` are a run's own writes: they throw `fenced` as soon as the run belongs to somebody else.
 */
export class Store {
  readonly folder: string
  /** What is sent to other programs, and how far they have come. */
  readonly webhooks: webhooks.WebhookStore
  /** Requests to accounts of providers and their limits, and which providers are left alone. */
  readonly routing: Bound<typeof ROUTING>
  /** Which queued runs begin next, what holds the others up, and what is at work. */
  readonly queue: Bound<typeof QUEUE>
  /** API keys, the record of what was asked for, and answers that are given again. */
  readonly access: Bound<typeof ACCESS>
  readonly #ctx: Context
  readonly #durations: (project: string) => Promise<Durations>

  constructor(ctx: Omit<Context, 'live'>) {
    this.folder = ctx.folder
    this.#ctx = { ...ctx, live: { runs: new Map(), all: null, turn: createTurns() } }
    this.routing = bind(this.#ctx, ROUTING)
    this.queue = bind(this.#ctx, QUEUE)
    this.access = bind(this.#ctx, ACCESS)
    this.webhooks = webhooks.webhookStore(this.#ctx)
    this.#durations = createDurations(this.#ctx)
  }

  submit(request: SubmitRequest): Promise<runs.Submitted> {
    return runs.submit(this.#ctx, request)
  }

  /** All of them or none. A run may depend on those before it, whose ids were made beforehand. */
  submitAll(requests: readonly SubmitRequest[]): Promise<runs.Submitted[]> {
    return runs.submitAll(this.#ctx, requests)
  }

  getRun(id: RunId): Promise<RunRow | null> {
    return runs.getRun(this.#ctx, id)
  }

  /** `project` is where "last" is looked for; what is not of the projects in `seen` is not there. */
  findRun(text: string, project: string | null = null, seen: readonly string[] | null = null): Promise<RunRow> {
    return runs.findRun(this.#ctx, text, project, seen)
  }

  listRuns(filter: runs.RunFilter = {}): Promise<RunRow[]> {
    return runs.listRuns(this.#ctx, filter)
  }

  dependenciesOf(run: RunId): Promise<RunId[]> {
    return runs.dependenciesOf(this.#ctx, run)
  }

  events(run: RunId, after?: number, limit?: number): Promise<RunEvent[]> {
    return events.events(this.#ctx, run, after, limit)
  }

  /** The same, page by page, as many as there are now. */
  allEvents(run: RunId, after?: number): AsyncIterable<RunEvent> {
    return events.allEvents(this.#ctx, run, after)
  }

  eventsOfType(run: RunId, types: readonly EventType[]): Promise<RunEvent[]> {
    return events.eventsOfType(this.#ctx, run, types)
  }

  tail(run: RunId, after: number, signal: AbortSignal): AsyncIterable<RunEvent> {
    return events.tail(this.#ctx, run, after, signal)
  }

  /** Events of all runs. */
  feed(options: feed.FeedOptions): AsyncIterable<FeedEvent> {
    return feed.feed(this.#ctx, options)
  }

  /** Position of the last event. */
  lastPosition(): Promise<number> {
    return feed.lastPosition(this.#ctx)
  }

  spend(run: RunId): Promise<Spent> {
    return events.spend(this.#ctx, run)
  }

  /** What runs have used, added up by a key. */
  costs(filter: costs.CostFilter): Promise<costs.CostRow[]> {
    return costs.costs(this.#ctx, filter)
  }

  steps(run: RunId): Promise<journal.JournaledStep[]> {
    return journal.steps(this.#ctx, run)
  }

  /** Next event. Epoch null: from outside the run, not fenced. Returns its number and the run's state. */
  append(run: RunId, epoch: number | null, type: EventType, data: RunEvent['data']): Promise<{ seq: number; state: RunRow['state'] }> {
    return write(this.#ctx, (tx) => append(tx, run, epoch, type, data))
  }

  setFacts(run: RunId, epoch: number | null, facts: RunFacts): Promise<void> {
    return write(this.#ctx, async (tx) => {
      if (epoch !== null) await fence(tx, run, epoch)
      await runs.mergeFacts(tx, run, facts)
    })
  }

  signal(run: RunId, kind: signals.SignalKind, data: signals.SignalData, actor: string, id?: string): Promise<RunRow> {
    return signals.signal(this.#ctx, run, kind, data, actor, id)
  }

  /** The run parks before its next step. */
  pause(run: RunId, actor: string): Promise<RunRow> {
    return signals.signal(this.#ctx, run, 'pause', {}, actor)
  }

  /** Takes a pause back, and wakes a run that waits for quota, budget or a resume. */
  resume(run: RunId, actor: string): Promise<RunRow> {
    return signals.signal(this.#ctx, run, 'resume', {}, actor)
  }

  cancel(run: RunId, actor: string): Promise<RunRow> {
    return lifecycle.cancel(this.#ctx, run, actor)
  }

  claim(run: RunId, node: string, limits?: QueueLimits): ReturnType<typeof lifecycle.claim> {
    return lifecycle.claim(this.#ctx, run, node, limits)
  }

  prioritize(run: RunId, priority: number, actor: string): Promise<RunRow> {
    return queue.prioritize(this.#ctx, run, priority, actor)
  }

  /** When something starts or wakes by itself next, epoch ms (now or before: at once); null: nothing will until somebody does something. */
  nextWake(): Promise<number | null> {
    return queue.nextWake(this.#ctx)
  }

  /** Failed runs of a project that no newer run of the same task has come after. */
  failedForGood(project: string, since: number): Promise<RunId[]> {
    return queue.failedForGood(this.#ctx, project, since)
  }

  /** The newest run of each of these tasks in a project. */
  newestOfTasks(project: string, tasks: readonly string[]): Promise<Map<string, RunId>> {
    return queue.newestOfTasks(this.#ctx, project, tasks)
  }

  /** How long the finished runs of a project were worked on; some seconds old at most. */
  durations(project: string): Promise<Durations> {
    return this.#durations(project)
  }

  readStep(run: RunId, name: string, inputHash: string): ReturnType<typeof journal.readStep> {
    return journal.readStep(this.#ctx, run, name, inputHash)
  }

  startStep(by: Claim, data: RunEvent['data']): Promise<void> {
    return journal.startStep(this.#ctx, by, data)
  }

  keepStep(by: Claim, result: journal.StepResult): Promise<boolean> {
    return journal.keepStep(this.#ctx, by, result)
  }

  /** Asks a person, once: the step and the question are events of one transaction. */
  askApproval(by: Claim, what: string, message: string): Promise<void> {
    return write(this.#ctx, async (tx) => {
      await append(tx, by.run, by.epoch, 'step.started', { step: what, kind: 'approval', attempt: 1, request: `${by.run}/${what}` })
      await append(tx, by.run, by.epoch, 'approval.asked', { what, message })
    })
  }

  useDecision(by: Claim, what: string, inputHash: string): Promise<journal.Decision | null> {
    return journal.useDecision(this.#ctx, by, what, inputHash)
  }

  useMessages(by: Claim, name: string, inputHash: string): Promise<string[]> {
    return journal.useMessages(this.#ctx, by, name, inputHash)
  }

  hasPause(run: RunId): Promise<boolean> {
    return signals.isPaused(this.#ctx.db, run)
  }

  park(by: Claim, wait: Parking): Promise<boolean> {
    return lifecycle.park(this.#ctx, by, wait)
  }

  handBack(by: Claim, message: string): Promise<void> {
    return lifecycle.handBack(this.#ctx, by, message)
  }

  finish(by: Claim, ending: Ending): Promise<void> {
    return lifecycle.finish(this.#ctx, by, ending)
  }

  wakeDue(may: (run: RunId) => boolean): Promise<void> {
    return lifecycle.wakeDue(this.#ctx, may)
  }

  nextDue(): Promise<number | null> {
    return lifecycle.nextDue(this.#ctx)
  }

  wakesAt(run: RunId): Promise<number | null> {
    return lifecycle.wakesAt(this.#ctx, run)
  }

  statesOf(ids: readonly RunId[]): ReturnType<typeof lifecycle.statesOf> {
    return lifecycle.statesOf(this.#ctx, ids)
  }

  /** `lost` names runs of a living node that it does not work on any more. */
  recover(lost?: (run: RunId, node: string) => boolean): Promise<RunId[]> {
    return recovery.recover(this.#ctx, lost)
  }

  /** True while a living process is in a step of this run, also of one that was cancelled from outside. */
  isAtWork(run: RunId): Promise<boolean> {
    return recovery.isAtWork(this.#ctx, run)
  }

  holdNode(node: string): void {
    nodes.holdNode(this.folder, node)
    nodes.sweepNodes(this.folder, this.#ctx.clock.now())
  }

  releaseNode(node: string): void {
    nodes.releaseNode(this.folder, node)
  }

  /** Ids of the processes that work on runs of this data folder. */
  livingNodes(): string[] {
    return nodes.livingNodes(this.folder)
  }

  /** How many runs are at work, and how many are in the queue. */
  workload(): Promise<load.Workload> {
    return load.workload(this.#ctx)
  }

  /** Changes of these runs, also by other processes; null: whatever may let a run begin, go on or end. */
  watch(runs: readonly RunId[] | null): Watch {
    return this.#ctx.hub.watch(runs ?? 'states')
  }

  /** All who watch look again: they have to be told of something that is not in the store. */
  wakeWatchers(): void {
    this.#ctx.hub.wakeAll()
  }

  /** Size of the store. */
  bytes(): number {
    return statistics.storeBytes(this.#ctx)
  }

  /** Names of the migrations that it has had. */
  async migrations(): Promise<string[]> {
    return statistics.migrationsOf(this.#ctx)
  }

  /** Counts everything and looks for damage: seconds with millions of events. */
  facts(): Promise<statistics.StoreFacts> {
    return statistics.storeFacts(this.#ctx)
  }

  /** Throws when the store cannot be written. */
  probeWrite(): Promise<void> {
    return statistics.probeWrite(this.#ctx)
  }

  /** A consistent copy of the store, while it is in use. Never copy its files. */
  async backup(path: string): Promise<void> {
    await backup(this.#ctx.database, path)
  }

  async close(): Promise<void> {
    this.#ctx.hub.close()
    await this.#ctx.db.destroy()
  }
}
