import type { Progress } from './progress.ts'
import type { Task } from './task.ts'
import type { Verdict } from './verdict.ts'

export type WaitReason = 'approval' | 'paused' | 'quota' | 'dependency' | 'budget'
export type FailReason = 'gates' | 'error' | 'budget' | 'timeout' | 'crash_loop'
export const RUN_STATUSES = ['queued', 'running', 'waiting', 'succeeded', 'failed', 'cancelled'] as const
export type RunStatus = (typeof RUN_STATUSES)[number]

export function isFinished(status: RunStatus): boolean {
  return status === 'succeeded' || status === 'failed' || status === 'cancelled'
}

export interface Usage {
  inputTokens: number
  outputTokens: number
  cachedInputTokens: number
  /** Model calls. */
  requests: number
}
export const NO_USAGE: Usage = { inputTokens: 0, outputTokens: 0, cachedInputTokens: 0, requests: 0 }

export function addUsage(a: Usage, b: Usage): Usage {
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    cachedInputTokens: a.cachedInputTokens + b.cachedInputTokens,
    requests: a.requests + b.requests,
  }
}

/** What a budget of tokens counts. */
export function tokensOf(usage: Usage): number {
  return usage.inputTokens + usage.outputTokens
}

/** US dollars; `null` where no price is known for the model: unknown is not free. */
export type Cost = number | null

/** `$0.50`, `$0.0031`: also small amounts, as limits and their rests are. */
export function dollars(usd: number): string {
  return `$${usd === 0 || usd >= 0.1 ? usd.toFixed(2) : usd.toPrecision(2)}`
}

export function addCost(a: Cost, b: Cost): Cost {
  return a === null || b === null ? null : a + b
}

export const STEP_KINDS = ['workspace', 'agent', 'gate', 'checkpoint', 'approval', 'land', 'scan'] as const
export type StepKind = (typeof STEP_KINDS)[number]
export type StepStatus = 'running' | 'succeeded' | 'failed' | 'interrupted'

/** A step as the outside sees it; derived from the run's events. Times are epoch ms. */
export interface StepView {
  name: string
  kind: StepKind
  role: string | null
  provider: string | null
  status: StepStatus
  /** Which attempt of its part this step belongs to, from 1. */
  attempt: number
  /** One line about how it ended: what the agent said, which gates failed. */
  summary: string | null
  startedAt: number
  finishedAt: number | null
  usage: Usage
  cost: Cost
}

/** How long it may still take, and what that is taken from. */
export interface Estimate {
  /** Ms of work that are left; null: nothing to tell it from. */
  remainingMs: number | null
  /** One sentence: `median of 12 runs of build in this project`. */
  basis: string
}

/** What `reeve show <run> --json` prints: the shape other programs rely on. */
export interface RunView {
  id: string
  task: Task
  status: RunStatus
  reason: WaitReason | FailReason | null
  /** One sentence for a person: why it waits or failed. */
  message: string | null
  workflow: string
  /** Commit the run began from. */
  base: string
  branch: string
  /** Last commit of the run's branch, null before there is one. */
  commit: string | null
  attempts: number
  progress: Progress & Estimate
  /** The isolation level in force, such as `L1 guarded`. */
  isolation: string
  steps: StepView[]
  verdict: Verdict | null
  usage: Usage
  cost: Cost
  paths: { project: string; workspace: string; evidence: string | null; log: string }
  createdAt: number
  /** Among queued runs, higher begins first; the task's until somebody changed it. */
  priority: number
  /** It does not begin before; null: at any time. */
  notBefore: number | null
  startedAt: number | null
  finishedAt: number | null
}
