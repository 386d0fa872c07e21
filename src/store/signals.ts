import { randomUUID } from 'node:crypto'
import { ReeveError } from '../core/errors.ts'
import type { EventType, RunEvent } from '../core/event.ts'
import type { RunId } from '../core/ids.ts'
import { type Json, parseJson } from '../core/json.ts'
import { isFinished, type WaitReason } from '../core/run.ts'
import type { RunRow } from './port.ts'
import { mustGet } from './runs.ts'
import type { Db } from './schema.ts'
import { append, type Context, type Tx, write } from './tx.ts'
import { wake } from './waking.ts'

/** What people and programs may send to a run; the same words as the engine's. */
export type SignalKind = 'approve' | 'reject' | 'pause' | 'resume' | 'message' | 'wake'
export type SignalData = { [key: string]: Json }

export interface Signal {
  id: string
  kind: SignalKind
  data: SignalData
}

/** Waits that "go on" ends. An approval needs an answer, a dependency its run. */
const RESUMABLE: readonly WaitReason[] = ['paused', 'quota', 'budget']

/**
 * Sends something to a run: event, signal and wake in one transaction. The same id a second time does nothing. Throws `run_not_found`,
 * `wrong_state` (the run has ended, or there is nothing to decide).
 */
export async function signal(
  ctx: Context,
  run: RunId,
  kind: SignalKind,
  data: SignalData,
  actor: string,
  id: string = randomUUID(),
): Promise<RunRow> {
  await write(ctx, async (tx) => {
    const row = await tx.t.selectFrom('runs').select(['state', 'reason']).where('id', '=', run).executeTakeFirst()
    if (!row) throw new ReeveError('run_not_found', { run })
    const known = await tx.t.selectFrom('signals').select('id').where('id', '=', id).executeTakeFirst()
    if (known) return
    if (isFinished(row.state))
      throw new ReeveError('wrong_state', { run, status: row.state, action: kind, allowed: 'queued, running or waiting' })
    await SENDERS[kind]({ tx, run, id, data: { ...data, actor }, actor, state: row.state })
  })
  return mustGet(ctx, run)
}

interface Sending {
  tx: Tx
  run: RunId
  id: string
  data: SignalData
  actor: string
  state: RunRow['state']
}

const SENDERS: Record<SignalKind, (it: Sending) => Promise<void>> = {
  approve: (it) => decide(it, 'approve'),
  reject: (it) => decide(it, 'reject'),
  pause,
  resume,
  wake: wakeUp,
  message: async (it) => {
    await note(it, 'message.sent', { text: textOf(it.data['text']) })
    await keep(it, 'message', it.data, 0)
  },
}

/** A field that should hold text, else nothing. */
export function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}

async function note(it: Sending, type: EventType, data: RunEvent['data']): Promise<void> {
  await append(it.tx, it.run, null, type, { ...data, actor: it.actor })
}

async function keep(it: Sending, kind: SignalKind, data: SignalData, taken: 0 | 1): Promise<void> {
  const { last_seq } = await it.tx.t.selectFrom('runs').select('last_seq').where('id', '=', it.run).executeTakeFirstOrThrow()
  await it.tx.t
    .insertInto('signals')
    .values({ id: it.id, run: it.run, kind, data: JSON.stringify(data), taken, seq: last_seq })
    .execute()
}

/** Until it is resumed: a pause stays untaken, the run looks for it between steps. */
async function pause(it: Sending): Promise<void> {
  const pending = (await untaken(it.tx, it.run, ['pause'])).length > 0
  if (!pending) await note(it, 'run.paused', {})
  await keep(it, 'pause', it.data, pending ? 1 : 0)
}

async function resume(it: Sending): Promise<void> {
  const { numUpdatedRows: pauses } = await it.tx.t
    .updateTable('signals')
    .set({ taken: 1 })
    .where('run', '=', it.run)
    .where('kind', '=', 'pause')
    .where('taken', '=', 0)
    .executeTakeFirst()
  // A person wants it to go on: deaths count from here.
  await it.tx.t.updateTable('runs').set({ crashes: 0 }).where('id', '=', it.run).execute()
  // Asked twice: it goes on already.
  if (it.state === 'running' && pauses === 0n) return
  await note(it, 'run.resumed', {})
  await keep(it, 'resume', it.data, 1)
  await wake(it.tx, it.run, it.actor, RESUMABLE)
}

/** Kept for a run at work only: it may be about to park for what this signal says is over. */
async function wakeUp(it: Sending): Promise<void> {
  await keep(it, 'wake', it.data, it.state === 'running' ? 0 : 1)
  await wake(it.tx, it.run, it.actor, ['quota', 'budget'])
  it.tx.touch(it.run)
}

/** The first decision counts. The same one again does nothing; another one is refused. */
async function decide(it: Sending, kind: 'approve' | 'reject'): Promise<void> {
  const what = textOf(it.data['what']) || (await askedNow(it.tx, it.run))
  // Said before, and nothing was asked since: once is enough.
  if (what === null && (await lastDecision(it.tx, it.run)) === kind) return
  if (what === null)
    throw new ReeveError('wrong_state', { run: it.run, status: it.state, action: kind, allowed: 'a run that waits for approval' })
  const earlier = await undecided(it.tx, it.run, what)
  if (earlier?.kind === kind) return
  // Who answers a question by its name must not answer the one that came after it.
  const closed = earlier?.kind ?? ((await isAnswered(it.tx, it.run, what)) ? `"${what}"` : null)
  if (closed !== null)
    throw new ReeveError('wrong_state', { run: it.run, status: `decided already (${closed})`, action: kind, allowed: 'an open question' })
  const comment = textOf(it.data['comment'])
  await note(it, kind === 'approve' ? 'approval.given' : 'approval.refused', { what, ...(comment === '' ? {} : { comment }) })
  await keep(it, kind, { ...it.data, what, comment }, 0)
  await wake(it.tx, it.run, it.actor, ['approval'])
}

async function lastDecision(tx: Tx, run: RunId): Promise<'approve' | 'reject' | null> {
  const row = await tx.t
    .selectFrom('events')
    .select('type')
    .where('run', '=', run)
    .where('type', 'in', ['approval.given', 'approval.refused'])
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row === undefined ? null : row.type === 'approval.given' ? 'approve' : 'reject'
}

/** The approval asked for last, when it has no answer in the journal yet. */
async function askedNow(tx: Tx, run: RunId): Promise<string | null> {
  const row = await tx.t
    .selectFrom('events')
    .select('data')
    .where('run', '=', run)
    .where('type', '=', 'approval.asked')
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (!row) return null
  const what = textOf((parseJson(row.data, `an event of run ${run}`) as SignalData)['what'])
  return (await isAnswered(tx, run, what)) ? null : what
}

async function isAnswered(tx: Tx, run: RunId, what: string): Promise<boolean> {
  const row = await tx.t.selectFrom('steps').select('name').where('run', '=', run).where('name', '=', what).executeTakeFirst()
  return row !== undefined
}

/** Signals that the run has not used yet, oldest first. */
export async function untaken(tx: Tx, run: RunId, kinds: readonly SignalKind[]): Promise<Signal[]> {
  const rows = await tx.t
    .selectFrom('signals')
    .select(['id', 'kind', 'data'])
    .where('run', '=', run)
    .where('taken', '=', 0)
    .where('kind', 'in', [...kinds])
    .orderBy('seq')
    .orderBy('id')
    .execute()
  return rows.map((it) => ({ id: it.id, kind: it.kind as SignalKind, data: parseJson(it.data, `signal ${it.id}`) as SignalData }))
}

/** The decision about `what` that the run has not used yet. */
export async function undecided(tx: Tx, run: RunId, what: string): Promise<Signal | null> {
  const all = await untaken(tx, run, ['approve', 'reject'])
  return all.find((it) => it.data['what'] === what) ?? null
}

export async function take(tx: Tx, signals: readonly Signal[]): Promise<void> {
  if (signals.length === 0) return
  const ids = signals.map((it) => it.id)
  await tx.t.updateTable('signals').set({ taken: 1 }).where('id', 'in', ids).execute()
}

/** True, once, when a wake came while the run was at work. */
export async function takeWake(tx: Tx, run: RunId): Promise<boolean> {
  const wakes = await untaken(tx, run, ['wake'])
  await take(tx, wakes)
  return wakes.length > 0
}

/** True while a pause has not been taken back. */
export async function isPaused(db: Db, run: RunId): Promise<boolean> {
  const row = await db
    .selectFrom('signals')
    .select('id')
    .where('run', '=', run)
    .where('taken', '=', 0)
    .where('kind', '=', 'pause')
    .executeTakeFirst()
  return row !== undefined
}
