import type { Role } from '../core/role.ts'
import { addCost, addUsage, type Cost, NO_USAGE, type Usage } from '../core/run.ts'
import type { Settings } from '../core/settings.ts'
import type { Task } from '../core/task.ts'
import type { Verdict } from '../core/verdict.ts'
import type { RunContext } from '../engine/port.ts'
import { isTestFile } from '../scanner/test-layout.ts'
import type { Keeping } from '../workspace/held.ts'
import type { Project, Workspace } from '../workspace/port.ts'
import type { Kit } from './kit.ts'

/** One line of the evidence: what was claimed, or what was measured. */
export type TrailEntry =
  | {
      kind: 'claim'
      step: string
      role: string
      provider: string
      status: string
      said: string
      commit: string
      tree: string
      usage: Usage
      cost: Cost
    }
  | { kind: 'measurement'; step: string; tree: string | null; status: string; score: number; summary: string; verdict: string }

/** A limit of the run, of an attempt or of a step, and what is used of it. */
export interface Cap {
  scope: 'run' | 'attempt' | 'step'
  unit: 'usd' | 'tokens'
  /** Where it is set: `runs.max_usd`. */
  name: string
  allowed: number
  /** How often the budget of the run was given by then; 1 until a person gives more. */
  given: number
  used: number
  /** What other steps at work may still use of it. */
  reserved: number
}

/** What the steps of a run share about money. */
export interface BudgetState {
  given: number
  /** Questions for more, by name. */
  asked: Map<string, Promise<{ approved: boolean; actor: string; comment: string }>>
  /** Steps that wait until another one ends. */
  waiting: Set<() => void>
  /** Providers of which was said that their price is not known. */
  told: Set<string>
}

/** What the steps of one run share. Rebuilt from the journal on every activation; nothing here is the truth. */
export interface Job {
  readonly run: RunContext
  readonly kit: Kit
  readonly task: Task
  readonly settings: Settings
  readonly project: Project
  readonly roles: ReadonlyMap<string, Role>
  readonly workspace: Workspace
  /** How the programs of the run are held. */
  readonly keeping: Keeping
  /** Tree hash of the base: a change with this tree is no change. */
  readonly baseTree: string
  /** Last commit whose files are known to be whole: where an interrupted step begins again. */
  checkpoint: string
  /** Test files that only the spec author may change, and the commit that holds their content. */
  specs: { files: string[]; commit: string } | null
  readonly budget: BudgetState
  /** What the journaled steps have used. */
  spent: { usage: Usage; cost: Cost }
  /** Attempts at an implementation so far, all parts together. */
  attempts: number
  /** The last verdict, whatever it said. */
  verdict: Verdict | null
  /** The commit that the last verdict is about, and how it was judged: what is needed to do it again. */
  judged: { commit: string; depth: 'quick' | 'full'; specs: Job['specs'] } | null
  /** What agents claimed and gates measured, in order: the evidence card hashes it as a chain. */
  trail: TrailEntry[]
  /** Providers that got stuck in this run; the next in order is asked. */
  avoided: string[]
  /** Providers that failed in this run, with the reason: asked only when nobody else is left. */
  failed: Map<string, string>
  /** What a later attempt at the same work may go on with. */
  sessions: Map<string, { provider: string; session: string }>
}

/** A run that has just been opened. */
export function newJob(
  parts: Pick<Job, 'run' | 'kit' | 'task' | 'settings' | 'project' | 'roles' | 'workspace' | 'keeping' | 'baseTree'>,
): Job {
  return {
    ...parts,
    checkpoint: parts.workspace.base,
    specs: null,
    budget: { given: 1, asked: new Map(), waiting: new Set(), told: new Set() },
    spent: { usage: NO_USAGE, cost: 0 },
    attempts: 0,
    verdict: null,
    judged: null,
    trail: [],
    avoided: [],
    failed: new Map(),
    sessions: new Map(),
  }
}

export function spend(job: Job, usage: Usage, cost: Cost): void {
  const { spent } = job
  job.spent = { usage: addUsage(spent.usage, usage), cost: addCost(spent.cost, cost) }
}

/** Is this path a file of tests, by the usual places or by `[tests] files`? */
export function isTest(job: Job, path: string): boolean {
  return isTestFile(path, job.settings.tests.files)
}
