import type { RunId } from '../core/ids.ts'
import type { WaitReason } from '../core/run.ts'
import { append, type Tx } from './tx.ts'

/** Queues a parked run again. False: it was not parked for one of the reasons, or still has unmet dependencies; nothing was changed. */
export async function wake(tx: Tx, run: RunId, by: string, reasons: readonly WaitReason[]): Promise<boolean> {
  const row = await tx.t
    .updateTable('runs')
    .set((it) => ({ state: 'queued', reason: null, message: null, wake_at: null, crashes: 0, ticket: it('ticket', '+', 1) }))
    .where('id', '=', run)
    .where('state', '=', 'waiting')
    .where('unmet', '=', 0)
    .where('reason', 'in', [...reasons])
    .returning('id')
    .executeTakeFirst()
  if (!row) return false
  await append(tx, run, null, 'run.woken', { by })
  return true
}
