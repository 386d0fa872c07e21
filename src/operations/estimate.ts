import { type Estimate, isFinished } from '../core/run.ts'
import type { PastRuns } from '../store/durations.ts'
import type { RunRow } from '../store/port.ts'

/** How long a run may still take, from what earlier ones of its project and workflow took, waits left out. Pure. `now`: epoch ms. */
export function estimateOf(
  row: Pick<RunRow, 'state' | 'workflow' | 'activeMs' | 'claimedAt'>,
  past: PastRuns | null,
  now: number,
): Estimate {
  if (isFinished(row.state)) return { remainingMs: null, basis: 'the run has ended' }
  if (past === null || past.runs === 0) return { remainingMs: null, basis: `no run of ${row.workflow} has ended in this project yet` }
  const spent = row.activeMs + (row.claimedAt === null ? 0 : Math.max(0, now - row.claimedAt))
  const many = `${past.runs} ${past.runs === 1 ? 'run' : 'runs'} of ${row.workflow} in this project`
  if (spent <= past.medianMs) return { remainingMs: past.medianMs - spent, basis: `median of ${many}` }
  if (spent <= past.p90Ms) return { remainingMs: past.p90Ms - spent, basis: `longer than most; nine of ten of ${many} took no longer` }
  return { remainingMs: null, basis: `it takes longer than ${many}` }
}
