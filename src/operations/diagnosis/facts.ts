import type { EventType, RunEvent } from '../../core/event.ts'
import type { RunRow } from '../../store/port.ts'
import type { Pause } from '../../store/queue.ts'

/** What a diagnosis is made from; nothing else is looked at. Times are epoch ms. */
export interface Facts {
  now: number
  row: RunRow
  /** Those of `TOLD`, in order. */
  events: readonly RunEvent[]
  /** The last one of any type. */
  last: RunEvent | null
  /** When a parked run goes on by itself. */
  wakesAt: number | null
  /** Somebody has asked it to pause. */
  pausing: boolean
  /** Does the process live that works on it? */
  nodeLives: boolean
  /** Does any process work on the runs of this data folder? */
  workers: boolean
  /** Of a queued run. */
  queue: QueuePlace | null
  /** What it waits for, and what that waits for, the nearest first. */
  dependencies: readonly Dependency[]
  /** Providers of its settings that are left alone now. */
  closed: readonly ClosedProvider[]
  /** Room on the disk of workspaces and store, the lesser of both. */
  freeBytes: number | null
}

export interface QueuePlace {
  pauses: readonly Pause[]
  /** Why it was passed over although its turn had come. */
  held: string | null
  /** From 1; null: it does not begin by itself. */
  position: number | null
  size: number
  /** Why it is not begun; null: it begins next. */
  reason: string | null
}

export interface Dependency {
  run: string
  task: string
  status: RunRow['state']
  reason: RunRow['reason']
  /** 1: the run itself waits for it. */
  depth: number
}

export interface ClosedProvider {
  provider: string
  class: string
  problem: string
  forMs: number
}

/** Events that a diagnosis looks at: what agents say and do is not among them. */
export const TOLD: readonly EventType[] = [
  'run.queued',
  'run.started',
  'run.waiting',
  'run.woken',
  'run.interrupted',
  'run.detached',
  'run.paused',
  'run.resumed',
  'run.finished',
  'run.landed',
  'isolation.measured',
  'network.refused',
  'step.started',
  'step.finished',
  'step.failed',
  'budget.reached',
  'limit.broken',
  'provider.chosen',
  'provider.limited',
  'provider.failed',
  'gate.started',
  'gate.finished',
  'verdict.reached',
  'proof.finished',
  'attempt.rejected',
  'approval.asked',
  'approval.given',
  'approval.refused',
]
