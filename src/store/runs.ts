import { crashAt } from '../core/crash.ts'
import { ReeveError } from '../core/errors.ts'
import { newRunId, type RunId } from '../core/ids.ts'
import type { RunStatus } from '../core/run.ts'
import { dependencyProblem, endRun } from './ending.ts'
import type { RunFacts, RunRow, SubmitRequest } from './port.ts'
import { queueColumns } from './queue-columns.ts'
import { toFacts, toRunRow } from './rows.ts'
import { append, type Context, type Tx, write } from './tx.ts'

export interface Submitted {
  row: RunRow
  /** False: a run with this client key was there already, and is returned as it is. */
  created: boolean
}

/** Makes a run, or finds the one that has the same client key. One transaction. Throws `run_not_found` for an unknown dependency. */
export async function submit(ctx: Context, request: SubmitRequest): Promise<Submitted> {
  const [submitted] = await submitAll(ctx, [request])
  if (!submitted) throw new Error('A submit has no answer.')
  return submitted
}

/** The same for many, all or none. A dependency may be a run before it in the list; where that was there already, the one of its key is meant. */
export async function submitAll(ctx: Context, requests: readonly SubmitRequest[]): Promise<Submitted[]> {
  const results = await write(ctx, async (tx) => {
    const instead = new Map<RunId, RunId>()
    const all: { id: RunId; created: boolean }[] = []
    for (const request of requests) {
      const dependsOn = [...new Set((request.dependsOn ?? []).map((it) => instead.get(it) ?? it))]
      const result = await submitOne(ctx, tx, { ...request, dependsOn })
      if (request.id !== undefined) instead.set(request.id, result.id)
      all.push(result)
    }
    return all
  })
  if (results.some((it) => it.created)) crashAt('after-submit')
  const submitted: Submitted[] = []
  for (const { id, created } of results) submitted.push({ row: await mustGet(ctx, id), created })
  return submitted
}

async function submitOne(ctx: Context, tx: Tx, request: SubmitRequest): Promise<{ id: RunId; created: boolean }> {
  const id = await insertRun(ctx, tx, request)
  if (id === null) return { id: await idOfKey(tx, request.clientKey ?? ''), created: false }
  if (request.kept) await takeOver(tx, id, request.kept)
  const at = request.runAt === undefined ? {} : { at: request.runAt }
  await append(tx, id, null, 'run.queued', { task: request.task.id, workflow: request.workflow, ...at })
  await waitForDependencies(tx, id, request.dependsOn ?? [])
  return { id, created: true }
}

async function insertRun(ctx: Context, tx: Tx, request: SubmitRequest): Promise<RunId | null> {
  const row = await tx.t
    .insertInto('runs')
    .values({
      id: request.id ?? newRunId(ctx.clock.now()),
      client_key: request.clientKey ?? null,
      workflow: request.workflow,
      project: request.project,
      task: JSON.stringify(request.task),
      options: JSON.stringify(request.options),
      state: 'queued',
      priority: request.task.priority,
      run_at: request.runAt ?? 0,
      created_at: tx.now(),
      epoch: 0,
      ticket: 1,
      crashes: 0,
      unmet: 0,
      last_seq: 0,
      active_ms: 0,
      facts: '{}',
      ...queueColumns(request.task, request.options),
    })
    .onConflict((it) => it.column('client_key').doNothing())
    .returning('id')
    .executeTakeFirst()
  return row?.id ?? null
}

async function takeOver(tx: Tx, run: RunId, { run: past, steps }: { run: RunId; steps: readonly string[] }): Promise<void> {
  for (const name of steps) {
    const row = await tx.t.selectFrom('steps').selectAll().where('run', '=', past).where('name', '=', name).executeTakeFirstOrThrow()
    await tx.t
      .insertInto('steps')
      .values({ ...row, run })
      .execute()
  }
}

async function idOfKey(tx: Tx, clientKey: string): Promise<RunId> {
  const row = await tx.t.selectFrom('runs').select('id').where('client_key', '=', clientKey).executeTakeFirstOrThrow()
  return row.id
}

/** Counts the runs it has to wait for, in order of ids, and parks or fails it at once where that is already clear. */
async function waitForDependencies(tx: Tx, run: RunId, wanted: readonly RunId[]): Promise<void> {
  if (wanted.length === 0) return
  const states = new Map<RunId, RunStatus>()
  for (const on of wanted.toSorted()) {
    // The update is the lock: it cannot end between being counted and being written down as awaited.
    const row = await tx.t.updateTable('runs').set({ id: on }).where('id', '=', on).returning('state').executeTakeFirst()
    if (!row) throw new ReeveError('run_not_found', { run: on })
    states.set(on, row.state)
    await tx.t.insertInto('depends').values({ run, on_run: on }).execute()
  }
  for (const [on, state] of states) {
    if (state !== 'failed' && state !== 'cancelled') continue
    await endRun(tx, run, { status: 'failed', reason: 'error', message: await dependencyProblem(tx, on, state) })
    return
  }
  const unmet = [...states].filter(([, state]) => state !== 'succeeded').map(([on]) => on)
  if (unmet.length === 0) return
  const message = unmet.length === 1 ? `Waits for run ${unmet[0]}.` : `Waits for ${unmet.length} runs: ${unmet.join(', ')}.`
  await tx.t
    .updateTable('runs')
    .set({ state: 'waiting', reason: 'dependency', message, unmet: unmet.length })
    .where('id', '=', run)
    .execute()
  await append(tx, run, null, 'run.waiting', { reason: 'dependency', message })
}

export async function getRun(ctx: Context, id: RunId): Promise<RunRow | null> {
  const row = await ctx.db.selectFrom('runs').selectAll().where('id', '=', id).executeTakeFirst()
  return row ? toRunRow(row) : null
}

export async function mustGet(ctx: Context, id: RunId): Promise<RunRow> {
  const row = await getRun(ctx, id)
  if (!row) throw new ReeveError('run_not_found', { run: id })
  return row
}

/**
 * The run a person means: its id, a beginning or an end of it that fits one run only, or `last`: the newest, of this project where one is
 * given. Throws `run_not_found`, `ambiguous_run`.
 */
export async function findRun(ctx: Context, text: string, project: string | null, seen: readonly string[] | null = null): Promise<RunRow> {
  if (text === 'last') return lastRun(ctx, project === null ? seen : [project])
  const exact = await getRun(ctx, text)
  if (exact) {
    if (seen === null || seen.includes(exact.project)) return exact
    throw new ReeveError('run_not_found', { run: text })
  }
  // Only what ids are made of: nothing else has a meaning in `like`.
  if (!/^[0-9a-z]+$/.test(text)) throw new ReeveError('run_not_found', { run: text })

  for (const pattern of [`${text}%`, `%${text}`]) {
    const all = ctx.db.selectFrom('runs').selectAll().where('id', 'like', pattern)
    const own = seen === null ? all : all.where('project', 'in', [...seen])
    const rows = await own.orderBy('id', 'desc').limit(100).execute()
    const [only] = rows
    if (only && rows.length === 1) return toRunRow(only)
    if (rows.length > 1)
      throw ambiguous(
        text,
        rows.map((it) => it.id),
      )
  }
  throw new ReeveError('run_not_found', { run: text })
}

function ambiguous(run: string, ids: readonly RunId[]): ReeveError {
  const shown = ids.slice(0, 5).join(', ')
  return new ReeveError('ambiguous_run', { run, count: ids.length, matches: ids.length > 5 ? `${shown}, ...` : shown })
}

async function lastRun(ctx: Context, projects: readonly string[] | null): Promise<RunRow> {
  const all = ctx.db.selectFrom('runs').selectAll()
  const own = projects === null ? all : all.where('project', 'in', [...projects])
  const row = await own.orderBy('created_at', 'desc').orderBy('id', 'desc').limit(1).executeTakeFirst()
  if (!row) throw new ReeveError('run_not_found', { run: 'last' })
  return toRunRow(row)
}

export interface RunFilter {
  project?: string
  /** Only of these. */
  projects?: readonly string[]
  /** Id of the task. */
  task?: string
  states?: readonly RunStatus[]
  /** 100 when absent. */
  limit?: number
  /** Id of the last run of the page before. */
  after?: RunId
}

/** Newest first. */
export async function listRuns(ctx: Context, filter: RunFilter): Promise<RunRow[]> {
  let query = ctx.db.selectFrom('runs').selectAll()
  if (filter.project !== undefined) query = query.where('project', '=', filter.project)
  if (filter.projects !== undefined) query = query.where('project', 'in', [...filter.projects])
  if (filter.task !== undefined) query = query.where('task_id', '=', filter.task)
  if (filter.states !== undefined) query = query.where('state', 'in', [...filter.states])
  if (filter.after !== undefined) query = query.where('id', '<', filter.after)
  const rows = await query
    .orderBy('id', 'desc')
    .limit(filter.limit ?? 100)
    .execute()
  return rows.map(toRunRow)
}

/** Ids of the runs that this one waits for. */
export async function dependenciesOf(ctx: Context, run: RunId): Promise<RunId[]> {
  const rows = await ctx.db.selectFrom('depends').select('on_run').where('run', '=', run).orderBy('on_run').execute()
  return rows.map((it) => it.on_run)
}

/** Merges facts into the run's; a fact is replaced, never removed. */
export async function mergeFacts(tx: Tx, run: RunId, facts: RunFacts): Promise<void> {
  if (Object.keys(facts).length === 0) return
  const row = await tx.t.selectFrom('runs').select('facts').where('id', '=', run).executeTakeFirst()
  if (!row) throw new ReeveError('run_not_found', { run })
  const merged = { ...toFacts(row.facts, run), ...facts }
  await tx.t
    .updateTable('runs')
    .set({ facts: JSON.stringify(merged) })
    .where('id', '=', run)
    .execute()
  tx.touch(run)
}
