import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { backup } from 'node:sqlite'
import { Kysely, sql } from 'kysely'
import { type Clock, systemClock } from '../core/clock.ts'
import { problemOf, ReeveError } from '../core/errors.ts'
import type { EventType, RunEvent } from '../core/event.ts'
import type { RunId } from '../core/ids.ts'
import type { Redact } from '../core/redact.ts'
import * as admissions from './admissions.ts'
import * as breakers from './breakers.ts'
import * as costs from './costs.ts'
import type { Ending } from './ending.ts'
import * as events from './events.ts'
import { createHub, type Watch } from './hub.ts'
import * as journal from './journal.ts'
import * as keys from './keys.ts'
import type { Claim, Parking } from './lifecycle.ts'
import * as lifecycle from './lifecycle.ts'
import * as limits from './limits.ts'
import { migrateStore } from './migrate.ts'
import * as nodes from './nodes.ts'
import type { RunFacts, RunRow, SubmitRequest } from './port.ts'
import * as recovery from './recovery.ts'
import * as runs from './runs.ts'
import { type Db, MIGRATIONS } from './schema.ts'
import * as signals from './signals.ts'
import { openDatabase, sqliteDialect } from './sqlite.ts'
import type { Spent } from './tally.ts'
import { append, type Context, fence, write } from './tx.ts'

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
    return new Store({ folder, db, database, hub: createHub(clock), clock, now, ...(options.redact && { redact: options.redact }) })
  } catch (error) {
    if (error instanceof ReeveError) throw error
    throw new ReeveError('store_failed', { path, problem: problemOf(error) }, { cause: error })
  }
}

/**
 * Runs, journal, events, signals and limits of one data folder: the only truth about them. Each method is one transaction or one read.
 * Those that take a `Claim` are a run's own writes: they throw `fenced` as soon as the run belongs to somebody else.
 */
export class Store {
  readonly folder: string
  readonly #ctx: Context

  constructor(ctx: Context) {
    this.folder = ctx.folder
    this.#ctx = ctx
  }

  submit(request: SubmitRequest): Promise<runs.Submitted> {
    return runs.submit(this.#ctx, request)
  }

  getRun(id: RunId): Promise<RunRow | null> {
    return runs.getRun(this.#ctx, id)
  }

  findRun(text: string, project: string | null = null): Promise<RunRow> {
    return runs.findRun(this.#ctx, text, project)
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

  eventsOfType(run: RunId, types: readonly EventType[]): Promise<RunEvent[]> {
    return events.eventsOfType(this.#ctx, run, types)
  }

  tail(run: RunId, after: number, signal: AbortSignal): AsyncIterable<RunEvent> {
    return events.tail(this.#ctx, run, after, signal)
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

  setLimit(key: string, max: number): Promise<void> {
    return limits.setLimit(this.#ctx, key, max)
  }

  takeSlot(key: string, holder: string, ttlMs: number): Promise<true | { retryInMs: number }> {
    return limits.takeSlot(this.#ctx, key, holder, ttlMs)
  }

  renewSlot(key: string, holder: string, ttlMs: number): Promise<boolean> {
    return limits.renewSlot(this.#ctx, key, holder, ttlMs)
  }

  freeSlot(key: string, holder: string): Promise<void> {
    return limits.freeSlot(this.#ctx, key, holder)
  }

  /** Lets a request go to a provider's account, if its limits allow it now. */
  admit(key: string, request: admissions.AdmissionRequest, rules: admissions.AdmissionRules): Promise<admissions.Admitted> {
    return admissions.admit(this.#ctx, key, request, rules)
  }

  renewAdmission(key: string, holder: string, ttlMs: number): Promise<boolean> {
    return admissions.renewAdmission(this.#ctx, key, holder, ttlMs)
  }

  endAdmission(key: string, holder: string, tokens: number | null): Promise<void> {
    return admissions.endAdmission(this.#ctx, key, holder, tokens)
  }

  closeAccount(key: string, ms: number): Promise<void> {
    return admissions.closeAccount(this.#ctx, key, ms)
  }

  openAccount(key: string): Promise<void> {
    return admissions.openAccount(this.#ctx, key)
  }

  breakers(keys: readonly string[]): Promise<breakers.BreakerState[]> {
    return breakers.breakers(this.#ctx, keys)
  }

  breakerFailed(key: string, failure: breakers.BreakerFailure): Promise<breakers.BreakerState> {
    return breakers.breakerFailed(this.#ctx, key, failure)
  }

  breakerClosed(key: string): Promise<boolean> {
    return breakers.breakerClosed(this.#ctx, key)
  }

  takeProbe(key: string, holder: string, ttlMs: number): Promise<boolean> {
    return breakers.takeProbe(this.#ctx, key, holder, ttlMs)
  }

  freeProbe(key: string, holder: string): Promise<void> {
    return breakers.freeProbe(this.#ctx, key, holder)
  }

  /** Null: a live key of that name is there already. */
  addKey(key: keys.NewKey): Promise<keys.ApiKey | null> {
    return keys.addKey(this.#ctx, key)
  }

  findKey(id: string): ReturnType<typeof keys.findKey> {
    return keys.findKey(this.#ctx, id)
  }

  listKeys(): Promise<keys.ApiKey[]> {
    return keys.listKeys(this.#ctx)
  }

  revokeKey(id: string): Promise<keys.ApiKey | null> {
    return keys.revokeKey(this.#ctx, id)
  }

  keyUsed(id: string): Promise<void> {
    return keys.keyUsed(this.#ctx, id)
  }

  /** Runs that may start now, the next one first. */
  startable(): Promise<RunId[]> {
    return lifecycle.startable(this.#ctx)
  }

  claim(run: RunId, node: string): ReturnType<typeof lifecycle.claim> {
    return lifecycle.claim(this.#ctx, run, node)
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

  /** Changes made by this process; null watches all runs. */
  watch(run: RunId | null): Watch {
    return this.#ctx.hub.watch(run)
  }

  /** A consistent copy of the store, while it is in use. Never copy its files. */
  async backup(path: string): Promise<void> {
    await backup(this.#ctx.database, path)
  }

  async close(): Promise<void> {
    await this.#ctx.db.destroy()
  }
}
