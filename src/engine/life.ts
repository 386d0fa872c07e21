import type { Clock } from '../core/clock.ts'
import type { FailReason } from '../core/run.ts'
import type { Claim, Parking } from '../store/lifecycle.ts'
import type { Store } from '../store/open.ts'
import type { RunRow } from '../store/port.ts'
import type { Tally } from '../store/tally.ts'

/** Why a workflow is left before its end. */
export type Leave =
  | { kind: 'park'; wait: Parking }
  | { kind: 'hand-back'; message: string }
  | { kind: 'fail'; reason: FailReason; message: string }
  /** Cancelled, or somebody else's by now: nothing more is written but what was spent. */
  | { kind: 'gone' }

/** Unwinds a workflow. Not for workflows to catch: the next step throws it again. */
export class Left extends Error {
  readonly leave: Leave

  constructor(leave: Leave) {
    super(leave.kind === 'fail' ? leave.message : `The run stops here (${leave.kind}).`)
    this.name = 'Left'
    this.leave = leave
  }
}

// Where two steps at once leave for different reasons, the stronger one decides.
const STRENGTH: Record<Leave['kind'], number> = { park: 0, 'hand-back': 1, fail: 2, gone: 3 }

/** One run at work in this process, from its claim until it is let go. */
export interface Life {
  readonly store: Store
  readonly clock: Clock
  readonly claim: Claim
  readonly controller: AbortController
  draining(): boolean
  row: RunRow
  left: Leave | null
  /** Steps at work; all have ended before the run is let go. */
  readonly atWork: Set<Promise<unknown>>
  /** How often each step was begun, also by earlier processes. */
  readonly starts: Map<string, number>
  /** What its steps have used and reserved, also under earlier processes. */
  readonly tally: Tally
  readonly asked: Set<string>
  /** Names used since the workflow's first line. */
  readonly used: Set<string>
}

/** Notes why the run is left, unless there is a stronger reason already, and unwinds. */
export function leave(life: Life, why: Leave): never {
  if (life.left === null || STRENGTH[why.kind] > STRENGTH[life.left.kind]) life.left = why
  // Steps at work beside a failed one are of no use; beside a parked one they finish and are kept.
  if (why.kind === 'fail' || why.kind === 'gone') life.controller.abort(new Left(why))
  throw new Left(life.left)
}

/** Stops a run from outside: the steps at work are aborted at once. */
export function interrupt(life: Life, why: Leave): void {
  try {
    leave(life, why)
  } catch (error) {
    life.controller.abort(error)
  }
}

/** Throws when the run is being left. */
export function stay(life: Life): void {
  if (life.left !== null) throw new Left(life.left)
}
