import type { Json } from '../core/json.ts'
import type { Role } from '../core/role.ts'
import type { Cost, Usage } from '../core/run.ts'
import type { ProviderErrorClass } from '../models/port.ts'
import type { Breach } from '../process/port.ts'
import type { Workspace } from '../workspace/port.ts'

/** What an agent tells while it works. */
export type AgentEvent =
  | { type: 'started'; program: string | null; version: string | null; model: string | null; session: string | null }
  | { type: 'noticed'; level: 'info' | 'warning'; text: string }
  /** What one call, or one turn of a CLI agent, has used; the result's sums include it. `estimated`: nobody reported it. */
  | { type: 'used'; usage: Usage; cost: Cost; model: string; source: 'reported' | 'metered' | 'estimated' }
  | { type: 'said'; text: string }
  | { type: 'acted'; tool: string; target: string; ok: boolean; summary: string }
  | { type: 'broke'; command: string; breach: Breach }
  | { type: 'retrying'; class: ProviderErrorClass; problem: string; inMs: number }

export interface AgentRequest {
  role: Role
  /** What to do, Markdown; the whole of it: agents start with an empty context. */
  goal: string
  workspace: Workspace
  /** Is this path (from the checkout's root) a file of tests? Decides what `tests` and `production` permissions mean. */
  isTestFile(path: string): boolean
  /** Paths (globs) that nobody may change in this run, such as the tests of the spec author. */
  protectedPaths: readonly string[]
  /** JSON Schema of the wanted answer; absent: free text. The result's `output` then satisfies it. */
  outputSchema?: { [key: string]: Json }
  limits: { steps: number; tokens: number | null; usd: number | null; timeoutMs: number; commandTimeoutMs: number }
  origin: { run: string; task: string; step: string; attempt: number }
  /** Session of an earlier attempt by the same provider that may be gone on with; absent: begin anew. */
  session?: string
  /** Another provider could take over: do not wait long for this one. */
  replaceable?: boolean
  signal: AbortSignal
  /** Must not throw. */
  emit: (event: AgentEvent) => void
}

/**
 * How it ended. `completed` says only that the agent stopped by itself: what counts is the tree and the gates.
 * `limited`: a limit of the request ended it (`problem` names it). `failed`: the provider or the agent could not go on.
 */
export interface AgentResult {
  status: 'completed' | 'limited' | 'failed' | 'aborted'
  text: string
  output: Json | null
  problem: string
  class: ProviderErrorClass | null
  /** Epoch ms, with class `rate_limited`. */
  retryAt: number | null
  usage: Usage
  cost: Cost
  steps: number
  /** With `limited`: which limit of the request ended it. */
  limit?: 'steps' | 'tokens' | 'usd' | 'time'
  /** Where `cost` is not known: US dollars that it was at most, if that is. */
  costAtMost?: number
  /** What a later attempt may go on with, where the agent can. */
  session?: string | null
}

/** A role at work by one provider. Must not throw: what goes wrong is in the result. */
export interface Agent {
  readonly provider: string
  readonly model: string
  run(request: AgentRequest): Promise<AgentResult>
}
