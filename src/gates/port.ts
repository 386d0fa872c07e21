import type { Settings } from '../core/settings.ts'
import type { Task } from '../core/task.ts'
import type { Finding, GateStatus, RedProof, Verdict } from '../core/verdict.ts'
import type { DetectedCommand } from '../scanner/port.ts'
import type { Checkout, FileChange, Scratch } from '../workspace/port.ts'

/** One test as its runner reported it. `name` is stable between runs: file or class, then the titles, joined by " > ". */
export interface TestCase {
  name: string
  /** From the root of the checkout, when the report says. */
  file: string | null
  line: number | null
  status: 'passed' | 'failed' | 'skipped'
  /** `assertion`: an expectation did not hold; `error`: it broke before it could judge (import, compile, time-out, crash). */
  failure: 'assertion' | 'error' | null
  message: string
}

/** Lines of production files that tests reached. */
export interface CoverageReport {
  files: { path: string /** Line number -> hits. */; lines: Record<number, number> }[]
}

/** What came out of running one command once, before anybody judges it. */
export interface Measurement {
  gate: string
  tool: string
  command: string
  cwd: string
  reason: string
  /** `not_run`: the tool is missing or could not start; `problem` says which and how to get it. */
  status: GateStatus
  problem: string
  exitCode: number | null
  durationMs: number
  findings: Finding[]
  /** null: the command told nothing about single tests. Empty with a tests gate: zero tests were collected, which is a failure. */
  cases: TestCase[] | null
  coverage: CoverageReport | null
  outputTail: string
  /** Failed for a reason outside the project: disk full, network, missing tool, killed. */
  environmental: boolean
}

export interface MeasureOptions {
  timeoutMs: number
  signal: AbortSignal
  onOutput?: (text: string) => void
  /** Only these test files, where the runner can select; others ignore it. */
  onlyTests?: readonly string[]
}

/** Runs one detected command in a checkout. Never throws for what the program does. Implementation: `measure.ts`. */
export type Measure = (command: DetectedCommand, checkout: Checkout, options: MeasureOptions) => Promise<Measurement>

/** Where the base is measured. A `Workspace` is one; `reeve gate` on a plain checkout has none. */
export interface Comparison {
  /** Commit of the base. */
  base: string
  /** Tree hash of the base, the key of the cache. */
  baseTree: string
  changes: FileChange[]
  /** Content of a file on the base. */
  fileAtBase(path: string): Promise<string | null>
  filesAtBase(): Promise<string[]>
  /** A fresh checkout of the base's files, dependencies included. */
  baseCheckout(): Promise<Scratch>
  /**
   * The same with nothing in it that programs of the change could have written, its dependencies and its home neither: what is measured there is
   * kept and judges later changes too. Absent: `baseCheckout`.
   */
  cleanCheckout?(): Promise<Scratch>
}

export interface JudgeRequest {
  checkout: Checkout
  /** null: nothing to compare with; failures get attribution `none`. */
  comparison: Comparison | null
  /** From the base commit, never from the worktree. */
  settings: Settings
  task: Pick<Task, 'kind' | 'acceptance'>
  /** Tree hash of the checkout, for the record. */
  tree: string | null
  /** `quick`: build, types, lint, tests. `full`: also coverage, red proof. */
  depth: 'quick' | 'full'
  /** Files that may not change (the spec author's tests) with the commit to compare them with by `protectedContent`. */
  protectedFiles: readonly string[]
  protectedContent(path: string): Promise<string | null>
  /** Folder for cached base results. */
  cacheDir: string
  timeoutMs: number
  signal: AbortSignal
  emit(event: GateEvent): void
}

export type GateEvent =
  | { type: 'gate.started'; gate: string; command: string; where: 'change' | 'base' | 'proof' }
  | {
      type: 'gate.finished'
      gate: string
      status: GateStatus
      introduced: number
      total: number
      durationMs: number
      where: 'change' | 'base' | 'proof'
    }
  | { type: 'proof.finished'; status: RedProof['status']; summary: string }

/** Runs the gates and judges. Implementation: `judge.ts`. */
export type Judge = (request: JudgeRequest) => Promise<Verdict>

export type { Finding, GateStatus, RedProof, Verdict }
