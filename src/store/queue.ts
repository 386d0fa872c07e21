import { sql } from 'kysely'
import { ReeveError } from '../core/errors.ts'
import type { RunId } from '../core/ids.ts'
import { isFinished } from '../core/run.ts'
import type { RunRow } from './port.ts'
import { type Limited, type Load, limitInTheWay, loadOf, type QueueLimits } from './queue-limits.ts'
import { mustGet } from './runs.ts'
import type { Db } from './schema.ts'
import { append, type Context, type Tx, write } from './tx.ts'

/** Stands for all projects where a pause names what it is about. */
export const ALL_PROJECTS = '*'

/** A queued run, as far as the choice of the next one needs it. */
export interface QueuedRun extends Limited {
  run: RunId
  priority: number
  createdAt: number
  /** Epoch ms before which it does not start; 0: at once. */
  runAt: number
}

/** Why a run is not begun although its turn has come; null where nobody has found a reason. */
export interface HeldRun extends QueuedRun {
  workflow: string
  held: string | null
}

export interface Pause {
  /** Root of a project, or `*`. */
  scope: string
  mode: 'paused' | 'draining'
  actor: string
  since: number
}

const COLUMNS = ['id', 'project', 'role', 'provider', 'project_limit', 'priority', 'created_at', 'run_at'] as const

interface QueueRow {
  id: string
  project: string
  role: string
  provider: string | null
  project_limit: number | null
  priority: number
  created_at: number
  run_at: number
}

function toQueued(row: QueueRow): QueuedRun {
  return {
    run: row.id,
    project: row.project,
    role: row.role,
    provider: row.provider,
    projectLimit: row.project_limit,
    priority: row.priority,
    createdAt: row.created_at,
    runAt: row.run_at,
  }
}

/**
 * Of each group of queued runs that no rule tells apart, the oldest that may start now: as many rows as there are groups, however many runs are
 * queued. `only`: among these runs, also those that another process holds back.
 */
export async function queueHeads(ctx: Context, only: readonly RunId[] | null): Promise<QueuedRun[]> {
  if (only !== null && only.length === 0) return []
  let query = ctx.db
    .selectFrom('runs')
    .select((it) => it.fn.min('id').as('id'))
    .where('state', '=', 'queued')
    .where('run_at', '<=', ctx.now())
    .where('project', 'not in', pausedProjects(ctx.db))
  if (only === null) query = query.where('held_until', '<=', ctx.now())
  if (only !== null) query = query.where('id', 'in', [...only])
  const heads = await query.groupBy(['priority', 'project', 'role', 'provider', 'project_limit']).execute()
  if (heads.length === 0 || (await isPaused(ctx.db))) return []
  const rows = await ctx.db
    .selectFrom('runs')
    .select([...COLUMNS])
    .where(
      'id',
      'in',
      heads.map((it) => it.id),
    )
    .execute()
  return rows.map(toQueued)
}

function pausedProjects(db: Db) {
  return db.selectFrom('queue').select('scope')
}

async function isPaused(db: Db): Promise<boolean> {
  const row = await db.selectFrom('queue').select('scope').where('scope', '=', ALL_PROJECTS).executeTakeFirst()
  return row !== undefined
}

/** Every queued run, oldest first. */
export async function queuedRuns(ctx: Context): Promise<HeldRun[]> {
  const rows = await ctx.db
    .selectFrom('runs')
    .select([...COLUMNS, 'workflow', 'held'])
    .where('state', '=', 'queued')
    .orderBy('id')
    .execute()
  return rows.map((it) => ({ ...toQueued(it), workflow: it.workflow, held: it.held }))
}

/** Runs at work in all processes, counted. */
export async function loadNow(db: Db): Promise<Load> {
  const rows = await db
    .selectFrom('runs')
    .select((it) => ['project', 'role', 'provider', it.fn.countAll<number>().as('count')])
    .where('state', '=', 'running')
    .groupBy(['project', 'role', 'provider'])
    .execute()
  return loadOf(rows.map((it) => ({ ...it, projectLimit: null })))
}

export interface RunAtWork extends QueuedRun {
  workflow: string
  /** Time it was worked on so far. */
  activeMs: number
}

export async function runsAtWork(ctx: Context): Promise<RunAtWork[]> {
  const active = sql<number>`active_ms + case when claimed_at is null then 0 else ${ctx.now()} - claimed_at end`
  const rows = await ctx.db
    .selectFrom('runs')
    .select([...COLUMNS, 'workflow', active.as('active')])
    .where('state', '=', 'running')
    .orderBy('id')
    .execute()
  return rows.map((it) => ({ ...toQueued(it), workflow: it.workflow, activeMs: it.active }))
}

/** A run whose turn has come is not begun, for this reason; it is looked at again after `ms`. */
export async function holdRun(ctx: Context, run: RunId, reason: string, ms: number): Promise<void> {
  await write(ctx, async (tx) => {
    await tx.t
      .updateTable('runs')
      .set({ held: tx.redact(reason), held_until: sql<number>`${tx.now()} + ${ms}` })
      .where('id', '=', run)
      .where('state', '=', 'queued')
      .execute()
  })
}

/** These runs, or all, are looked at again at once. */
export async function releaseHolds(ctx: Context, runs: readonly RunId[] | null): Promise<void> {
  const held = ctx.db.selectFrom('runs').select('id').where('state', '=', 'queued').where('held_until', '>', 0)
  const rows = await (runs === null ? held : held.where('id', 'in', [...runs])).execute()
  if (rows.length === 0) return
  await write(ctx, async (tx) => {
    for (const { id } of rows) await tx.t.updateTable('runs').set({ held: null, held_until: 0 }).where('id', '=', id).execute()
    tx.touch(null)
  })
}

export async function pauses(ctx: Context): Promise<Pause[]> {
  return ctx.db.selectFrom('queue').selectAll().orderBy('scope').execute()
}

/** Takes nothing new of a project, or of all. Who has paused it first stays on record; a drain makes it one. */
export async function pauseQueue(ctx: Context, scope: string, mode: Pause['mode'], actor: string): Promise<void> {
  await write(ctx, async (tx) => {
    await tx.t
      .insertInto('queue')
      .values({ scope, mode, actor, since: tx.now() })
      .onConflict((it) => it.column('scope').doUpdateSet({ mode }))
      .execute()
    tx.touch(null)
  })
}

/** False: it was not paused. */
export async function resumeQueue(ctx: Context, scope: string): Promise<boolean> {
  return write(ctx, async (tx) => {
    const row = await tx.t.deleteFrom('queue').where('scope', '=', scope).returning('scope').executeTakeFirst()
    tx.touch(null)
    return row !== undefined
  })
}

async function isPausedFor(db: Db, project: string): Promise<boolean> {
  const row = await db.selectFrom('queue').select('scope').where('scope', 'in', [ALL_PROJECTS, project]).executeTakeFirst()
  return row !== undefined
}

/** Changes what comes first. The same priority again does nothing. Throws `run_not_found`, `wrong_state` for a run that has ended. */
export async function prioritize(ctx: Context, run: RunId, priority: number, actor: string): Promise<RunRow> {
  await write(ctx, async (tx) => {
    const row = await tx.t.selectFrom('runs').select(['state', 'priority']).where('id', '=', run).executeTakeFirst()
    if (!row) throw new ReeveError('run_not_found', { run })
    if (isFinished(row.state))
      throw new ReeveError('wrong_state', { run, status: row.state, action: 'priority', allowed: 'queued, running or waiting' })
    if (row.priority === priority) return
    await tx.t.updateTable('runs').set({ priority }).where('id', '=', run).execute()
    await append(tx, run, null, 'run.prioritized', { actor, priority, before: row.priority })
  })
  return mustGet(ctx, run)
}

/**
 * When something starts or wakes by itself next, epoch ms: at once where a run could start now, unless a limit is in its way. Null: nothing
 * will, until somebody does something. Runs that are paused or held back (a missing key) do not count.
 */
export async function nextWake(ctx: Context): Promise<number | null> {
  const woken = await ctx.db
    .selectFrom('runs')
    .select((it) => it.fn.min('wake_at').as('at'))
    .where('state', '=', 'waiting')
    .where('wake_at', 'is not', null)
    .executeTakeFirst()
  const started = (await isPaused(ctx.db)) ? null : await nextStart(ctx)
  const times = [woken?.at ?? null, started].filter((it) => it !== null)
  return times.length === 0 ? null : Math.min(...times)
}

async function nextStart(ctx: Context): Promise<number | null> {
  const row = await ctx.db
    .selectFrom('runs')
    .select((it) => [it.fn.min('run_at').as('at'), ctx.now().as('now')])
    .where('state', '=', 'queued')
    .where('held_until', '=', 0)
    .where('project', 'not in', pausedProjects(ctx.db))
    .executeTakeFirst()
  return row === undefined || row.at === null ? null : Math.max(row.at, row.now)
}

/** Failed runs of a project since a time that no newer run of the same task has come after, oldest first. */
export async function failedForGood(ctx: Context, project: string, since: number): Promise<RunId[]> {
  const rows = await ctx.db
    .selectFrom('runs as failed')
    .select('failed.id')
    .where('failed.project', '=', project)
    .where('failed.state', '=', 'failed')
    .where('failed.finished_at', '>=', since)
    .where((it) =>
      it.not(
        it.exists(
          it
            .selectFrom('runs as newer')
            .select('newer.id')
            .whereRef('newer.project', '=', 'failed.project')
            .whereRef('newer.task_id', '=', 'failed.task_id')
            .whereRef('newer.id', '>', 'failed.id'),
        ),
      ),
    )
    .orderBy('failed.id')
    .execute()
  return rows.map((it) => it.id)
}

/** The newest run of each of these tasks in a project. */
export async function newestOfTasks(ctx: Context, project: string, tasks: readonly string[]): Promise<Map<string, RunId>> {
  const found = new Map<string, RunId>()
  for (const task of new Set(tasks)) {
    const row = await ctx.db
      .selectFrom('runs')
      .select('id')
      .where('project', '=', project)
      .where('task_id', '=', task)
      .orderBy('id', 'desc')
      .limit(1)
      .executeTakeFirst()
    if (row) found.set(task, row.id)
  }
  return found
}

/**
 * Why a run may not be begun now: a pause, or a limit that others have filled up. Asked in the claim's own transaction, so that processes that
 * claim at the same time keep to it together.
 */
export async function inTheWay(tx: Tx, run: RunId, limits: QueueLimits): Promise<string | null> {
  const row = await tx.t
    .selectFrom('runs')
    .select(['project', 'role', 'provider', 'project_limit'])
    .where('id', '=', run)
    .executeTakeFirst()
  if (!row) return null
  if (await isPausedFor(tx.t, row.project)) return 'queue paused'
  return limitInTheWay({ ...row, projectLimit: row.project_limit }, await loadNow(tx.t), limits)
}
