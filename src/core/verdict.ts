import { z } from 'zod'

/** Gates that reeve knows; a project may add others by name in `[gates.<name>]`. */
export const GATE_NAMES = ['build', 'types', 'lint', 'tests', 'coverage'] as const

/** `not_run` says that a check could not run: never "passed". `warning`: something to look at that does not stop the run. */
export const gateStatusSchema = z.enum(['passed', 'failed', 'warning', 'not_run'])
export type GateStatus = z.infer<typeof gateStatusSchema>

/**
 * Where a failure comes from. Only `introduced` and `tampered` are the change's fault; only `introduced` goes back to the agent.
 * `none`: no base to compare with.
 */
export const attributionSchema = z.enum(['introduced', 'pre-existing', 'flaky', 'environmental', 'tampered', 'none'])
export type Attribution = z.infer<typeof attributionSchema>

export const findingSchema = z.object({
  /** Path from the root of the checkout, null where the tool named none. */
  file: z.string().nullable(),
  /** From 1. */
  line: z.int().nullable(),
  severity: z.enum(['error', 'warning', 'info']),
  /** The tool's rule, the test's full name, or one of reeve's own such as `reeve/test-deleted`. */
  rule: z.string(),
  message: z.string(),
  attribution: attributionSchema,
})
export type Finding = z.infer<typeof findingSchema>

export const testCountsSchema = z.object({ total: z.int(), passed: z.int(), failed: z.int(), skipped: z.int() })
export type TestCounts = z.infer<typeof testCountsSchema>

export const gateResultSchema = z.object({
  name: z.string(),
  status: gateStatusSchema,
  /** As a person would type it; null when there was none to run. */
  command: z.string().nullable(),
  /** Folder the command runs in, from the root of the checkout; "." for the root. */
  cwd: z.string(),
  /** Why this command, or why it was not run. */
  reason: z.string(),
  durationMs: z.number(),
  exitCode: z.int().nullable(),
  findings: z.array(findingSchema),
  tests: testCountsSchema.nullable(),
  /** The same command on the base commit, when it was measured. */
  base: z.object({ status: gateStatusSchema, tests: testCountsSchema.nullable() }).nullable(),
  /** Last lines of the output, redacted and capped, for people. */
  outputTail: z.string(),
})
export type GateResult = z.infer<typeof gateResultSchema>

/** The counterfactual proof: do the new or changed tests fail without the change and pass with it? */
export const redProofSchema = z.object({
  status: z.enum(['proved', 'refuted', 'not_run', 'not_needed']),
  /** One sentence: why refuted, why not needed, why it could not run. */
  reason: z.string(),
  /** Test files that were judged. */
  files: z.array(z.string()),
  /** Full names of tests that failed by assertion on the base's production files and pass with the change. */
  red: z.array(z.string()),
  /** Tests that are new or changed and passed on the base: they prove nothing. */
  vacuous: z.array(z.string()),
})
export type RedProof = z.infer<typeof redProofSchema>

export const changedCoverageSchema = z.object({
  /** Changed executable lines of production files, and how many of them the tests reach. */
  lines: z.int(),
  covered: z.int(),
  /** Percent, 100 when there is nothing to cover. */
  percent: z.number(),
  threshold: z.number(),
  uncovered: z.array(z.object({ file: z.string(), lines: z.array(z.int()) })),
})
export type ChangedCoverage = z.infer<typeof changedCoverageSchema>

export const verdictSchema = z.object({
  status: gateStatusSchema,
  /** 0 to 1: share of the gates that ran and passed; a failed gate or refuted proof makes it less than 1. */
  score: z.number(),
  /** One sentence that a person reads first. */
  summary: z.string(),
  gates: z.array(gateResultSchema),
  redProof: redProofSchema,
  changedCoverage: changedCoverageSchema.nullable(),
  /** Tree hash the verdict is about. */
  tree: z.string().nullable(),
  base: z.string().nullable(),
})
export type Verdict = z.infer<typeof verdictSchema>

/** What goes back to an agent: the change's own failures, nothing else. */
export function introducedFindings(verdict: Verdict): Finding[] {
  return verdict.gates.flatMap((gate) =>
    gate.findings.filter((it) => it.attribution === 'introduced' || (it.attribution === 'none' && gate.status === 'failed')),
  )
}
