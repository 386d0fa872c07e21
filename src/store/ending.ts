import { sql } from 'kysely'
import type { RunId } from '../core/ids.ts'
import { parseJson } from '../core/json.ts'
import type { FailReason } from '../core/run.ts'
import type { Task } from '../core/task.ts'
import { append, type Tx } from './tx.ts'
import { wake } from './waking.ts'

export type Ending =
  | { status: 'succeeded'; message?: string }
  | { status: 'failed'; reason: FailReason; message: string }
  | { status: 'cancelled'; message: string }

/** Ends a run, whatever its state: its last event, its row, and what follows for the runs that wait for it. The caller has checked that it may. */
export async function endRun(tx: Tx, run: RunId, ending: Ending): Promise<void> {
  const reason = ending.status === 'failed' ? ending.reason : null
  const message = ending.message === undefined ? null : tx.redact(ending.message)
  const detail = { ...(reason === null ? {} : { reason }), ...(message === null ? {} : { message }) }
  await append(tx, run, null, 'run.finished', { status: ending.status, ...detail })
  await tx.t
    .updateTable('runs')
    .set({
      state: ending.status,
      reason,
      message,
      node: null,
      wake_at: null,
      finished_at: tx.now(),
      active_ms: activeUntilNow(tx),
      claimed_at: null,
    })
    .where('id', '=', run)
    .execute()
  await settleDependents(tx, run, ending)
}

/** Time worked so far, with the claim that ends now. */
export function activeUntilNow(tx: Tx) {
  return sql<number>`active_ms + case when claimed_at is null then 0 else ${tx.now()} - claimed_at end`
}

/** Counts down in order of ids, one row lock after the other: two that end together never miss each other. */
async function settleDependents(tx: Tx, run: RunId, ending: Ending): Promise<void> {
  const children = await tx.t.selectFrom('depends').select('run').where('on_run', '=', run).orderBy('run').execute()
  for (const { run: child } of children) {
    if (ending.status === 'succeeded') await countDown(tx, child, run)
    if (ending.status !== 'succeeded') await failDependent(tx, child, run, ending.status)
  }
}

async function countDown(tx: Tx, child: RunId, run: RunId): Promise<void> {
  const row = await tx.t
    .updateTable('runs')
    .set((it) => ({ unmet: it('unmet', '-', 1) }))
    .where('id', '=', child)
    .returning('unmet')
    .executeTakeFirst()
  if (row?.unmet === 0) await wake(tx, child, run, ['dependency'])
}

async function failDependent(tx: Tx, child: RunId, run: RunId, status: 'failed' | 'cancelled'): Promise<void> {
  const row = await tx.t.selectFrom('runs').select('state').where('id', '=', child).executeTakeFirst()
  if (row?.state !== 'waiting') return
  await endRun(tx, child, { status: 'failed', reason: 'error', message: await dependencyProblem(tx, run, status) })
}

/** Why a run cannot start: the one it depends on has not succeeded. */
export async function dependencyProblem(tx: Tx, run: RunId, status: 'failed' | 'cancelled'): Promise<string> {
  const row = await tx.t.selectFrom('runs').select('task').where('id', '=', run).executeTakeFirstOrThrow()
  const task = parseJson(row.task, `the task of run ${run}`) as unknown as Task
  return `It depends on task "${task.id}" (run ${run}), which ${status === 'failed' ? 'failed' : 'was cancelled'}.`
}
