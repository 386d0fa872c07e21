import { sql } from 'kysely'
import type { RunId } from '../core/ids.ts'
import type { Json } from '../core/json.ts'
import { endRequestsOf } from './admissions.ts'
import { endRun } from './ending.ts'
import { eventsOfType } from './events.ts'
import { nodeIsAlive } from './nodes.ts'
import { append, type Context, write } from './tx.ts'

// Deaths in a row, without one step finished between, after which a run is not tried again.
const MAX_CRASHES = 5

interface Orphan {
  id: RunId
  epoch: number
  crashes: number
  node: string | null
}

/**
 * Puts runs back into the queue whose process has died; a run that keeps killing its process fails with `crash_loop`. Any process may call it
 * at any time, several at once too. One small read when there is nothing to do.
 */
export async function recover(ctx: Context, lost: (run: RunId, node: string) => boolean = () => false): Promise<RunId[]> {
  const running = await ctx.db
    .selectFrom('runs')
    .select(['id', 'epoch', 'crashes', 'node'])
    .where('state', '=', 'running')
    .orderBy('id')
    .execute()
  const alive = new Map<string | null, boolean>([[null, false]])
  const recovered: RunId[] = []
  for (const run of running) {
    if (!alive.has(run.node) && run.node !== null) alive.set(run.node, nodeIsAlive(ctx.folder, run.node))
    if (alive.get(run.node) === true && !(run.node !== null && lost(run.id, run.node))) continue
    if (!(await putBack(ctx, run))) continue
    await endRequestsOf(ctx, run.id)
    recovered.push(run.id)
  }
  return recovered
}

async function putBack(ctx: Context, orphan: Orphan): Promise<boolean> {
  return write(ctx, async (tx) => {
    const row = await tx.t
      .updateTable('runs')
      .set({ node: null })
      .where('id', '=', orphan.id)
      .where('epoch', '=', orphan.epoch)
      .where('state', '=', 'running')
      .where('node', 'is not distinct from', orphan.node)
      .returning('crashes')
      .executeTakeFirst()
    if (!row) return false
    const message = 'The process that worked on it is gone.'
    await append(tx, orphan.id, null, 'run.interrupted', { message, crashes: row.crashes + 1 })
    if (row.crashes >= MAX_CRASHES) {
      const problem = `Its process died ${row.crashes + 1} times in a row without finishing a step.`
      await endRun(tx, orphan.id, { status: 'failed', reason: 'crash_loop', message: problem })
      return true
    }
    await tx.t
      .updateTable('runs')
      .set((it) => ({ state: 'queued', crashes: it('crashes', '+', 1), claimed_at: null, active_ms: activeUntilLastEvent(orphan.id) }))
      .where('id', '=', orphan.id)
      .execute()
    return true
  })
}

/**
 * True while the process that worked on a run is still in a step of it: after a cancel from outside, until its programs have ended. What lies
 * in the workspace may change until then.
 */
export async function isAtWork(ctx: Context, run: RunId): Promise<boolean> {
  const open = new Set<Json | undefined>()
  let node: Json | undefined
  for (const { type, data } of await eventsOfType(ctx, run, ['run.started', 'step.started', 'step.finished', 'step.failed'])) {
    if (type === 'run.started') open.clear()
    if (type === 'run.started') node = data['node']
    // A question is open for as long as nobody answers.
    if (type === 'step.started' && data['kind'] !== 'approval') open.add(data['step'])
    if (type === 'step.finished' || type === 'step.failed') open.delete(data['step'])
  }
  return open.size > 0 && typeof node === 'string' && nodeIsAlive(ctx.folder, node)
}

/** Nobody knows when it died; its last event before `run.interrupted` is the last sign of life. */
function activeUntilLastEvent(run: RunId) {
  const lastSign = sql`(select ts from events where events.run = ${run} and type <> 'run.interrupted' order by seq desc limit 1)`
  return sql<number>`active_ms + case when claimed_at is null or ${lastSign} < claimed_at then 0 else ${lastSign} - claimed_at end`
}
