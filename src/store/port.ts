import type { RunId } from '../core/ids.ts'
import type { Json } from '../core/json.ts'
import type { FailReason, RunStatus, WaitReason } from '../core/run.ts'
import type { Task } from '../core/task.ts'
import type { Verdict } from '../core/verdict.ts'

/** Small facts about a run that observers ask for often; merged, never removed. */
export interface RunFacts {
  base?: string
  branch?: string
  commit?: string | null
  workspace?: string
  /** Level its programs are held at, such as `L2 os-sandbox`; the lowest of them when it has changed. */
  isolation?: string
  /** Level that a person has accepted since it was submitted. */
  accepted?: string
  attempts?: number
  verdict?: Verdict | null
  evidence?: string | null
  landed?: { branch: string; commit: string; how: string; forced: boolean } | null
}

export interface RunRow {
  id: RunId
  clientKey: string | null
  workflow: string
  /** Top level of the project's checkout. */
  project: string
  task: Task
  /** Choices of this run that override the project's settings, as the submitter gave them. */
  options: { [key: string]: Json }
  state: RunStatus
  reason: WaitReason | FailReason | null
  message: string | null
  /** Process that works on it; meaningful while `running`. */
  node: string | null
  priority: number
  epoch: number
  crashes: number
  lastSeq: number
  createdAt: number
  startedAt: number | null
  finishedAt: number | null
  /** Epoch ms before which it does not start. */
  runAt: number
  /** Why it was not begun although its turn had come; it is looked at again by itself. */
  held: string | null
  /** Time it was worked on, without the claim that is at work now, which began at `claimedAt`. */
  activeMs: number
  claimedAt: number | null
  facts: RunFacts
}

export interface Activation {
  run: RunId
  epoch: number
  signal: AbortSignal
  draining(): boolean
}

/** Next state: `waiting` = parked, `queued` = go on later (drain). */
export type Outcome = 'succeeded' | 'failed' | 'cancelled' | 'waiting' | 'queued'

export interface SubmitRequest {
  /** Made beforehand with `newRunId`, so that others of the same call can depend on it. */
  id?: RunId
  task: Task
  project: string
  workflow: string
  options: { [key: string]: Json }
  clientKey?: string
  /** Runs this one waits for. */
  dependsOn?: readonly RunId[]
  runAt?: number
  /** Results of another run's steps that are taken over: they are not done again. */
  kept?: { run: RunId; steps: readonly string[] }
}
