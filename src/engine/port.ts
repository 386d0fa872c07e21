import type { EventType, RunEvent } from '../core/event.ts'
import type { RunId } from '../core/ids.ts'
import type { Json } from '../core/json.ts'
import type { Cost, FailReason, StepKind, Usage, WaitReason } from '../core/run.ts'
import type { RunFacts, RunRow } from '../store/port.ts'
import type { Tally } from '../store/tally.ts'

/** A workflow: a function replayed from its first line over the journal. Everything that differs between two replays must be inside a step. */
export type Workflow = (run: RunContext) => Promise<RunEnd>

export type RunEnd = { status: 'succeeded'; message?: string } | { status: 'failed'; reason: FailReason; message: string }

export interface StepSpec {
  /** Unique within the run, stable between replays: `plan`, `part-1/attempt-2/implement`. */
  name: string
  kind: StepKind
  /** What the result depends on; a journaled step with other input fails the run with `replay_mismatch`. */
  input: Json
  role?: string
  provider?: string
  attempt?: number
}

export interface StepHandle {
  signal: AbortSignal
  /** True when this step was begun before and its result was not kept: the process died, or the run was detached. */
  readonly repeated: boolean
  /** What earlier tries of this step have used that gave no result, as far as their calls or their ends were written down. */
  readonly spentBefore: { usage: Usage; cost: Cost }
  /** Adds to what the step has used; recorded with its end, also when it fails. `charged`: what budgets count, where it is not the cost. */
  charge(usage: Usage, cost: Cost, charged?: number): void
  /** One line that observers see as the step's outcome. */
  summarize(text: string): void
  /** Facts and events written in the same transaction as the step's result. */
  fact(facts: RunFacts): void
  /** An event at once (fenced). Coalesces nothing: call it for things a person wants to see. */
  emit(type: EventType, data: RunEvent['data']): Promise<void>
}

export interface RunContext {
  readonly id: RunId
  readonly row: RunRow
  readonly signal: AbortSignal
  /** What the run's steps have used and reserved by now, also in earlier activations. */
  readonly tally: Pick<Tally, 'spent' | 'reserved'>
  /** The journaled result, or does the work. A throw inside fails the run with reason `error` unless it is a `StepWait`. */
  step<T extends Json>(spec: StepSpec, fn: (step: StepHandle) => Promise<T>): Promise<T>
  /** Parks the run until a person decides. Asked once; the decision is journaled under `what`. */
  approval(what: string, message: string): Promise<{ approved: boolean; actor: string; comment: string }>
  /** Instructions sent by people since the last call with this name; journaled under `name`, so a replay sees the same. */
  messages(name: string): Promise<string[]>
  /** An event outside any step. */
  emit(type: EventType, data: RunEvent['data']): Promise<void>
}

/** Thrown inside a step: park the run, try the step again when woken (quota, budget). Nothing is journaled for the step. */
export class StepWait extends Error {
  readonly reason: WaitReason
  /** Epoch ms to wake at by itself, null: only a signal wakes it. */
  readonly until: number | null

  constructor(reason: WaitReason, message: string, until: number | null) {
    super(message)
    this.name = 'StepWait'
    this.reason = reason
    this.until = until
  }
}
