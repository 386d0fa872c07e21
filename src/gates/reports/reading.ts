import type { CoverageReport, Finding, TestCase } from '../port.ts'

/** What a reader found in the reports and the output of one command. */
export interface Reading {
  /** null: nothing said anything about single tests. */
  cases: TestCase[] | null
  findings: Finding[]
  coverage: CoverageReport | null
  /** A report that is broken, in one sentence. What could be read of it is still here. */
  problem: string | null
  /** The tool itself is not there (its module or plug-in), in one sentence with the remedy. */
  missing: string | null
}

export const NOTHING: Reading = { cases: null, findings: [], coverage: null, problem: null, missing: null }

export interface ReportFile {
  path: string
  text: string
}

/** What a reader may look at. */
export interface ReaderInput {
  stdout: string
  stderr: string
  exitCode: number | null
  /** What the command set in its environment. */
  env: Readonly<Record<string, string>>
  /** Where the report was to be; null: standard output is the report. */
  reportPath: string | null
  /** The report files that were there, in order of their paths. */
  reports: readonly ReportFile[]
  /** Other files of the report folder, by name: tools that write more than one. */
  extra: readonly ReportFile[]
  /** Absolute or relative path of a report -> path from the checkout's root, null when it is none of the checkout's. */
  place: (path: string) => string | null
  /** Text without colours and without absolute paths of this checkout. */
  clean: (text: string) => string
}

export type Reader = (input: ReaderInput) => Reading

/** A finding nobody has attributed yet. */
export function finding(parts: Partial<Finding> & { rule: string; message: string }): Finding {
  return { file: null, line: null, severity: 'error', attribution: 'none', ...parts }
}

/** Two readings as one. Cases of the same name: see `mergeCases`. */
export function join(a: Reading, b: Reading): Reading {
  return {
    cases: a.cases && b.cases ? [...a.cases, ...b.cases] : (a.cases ?? b.cases),
    findings: [...a.findings, ...b.findings],
    coverage: a.coverage && b.coverage ? { files: [...a.coverage.files, ...b.coverage.files] } : (a.coverage ?? b.coverage),
    problem: a.problem ?? b.problem,
    missing: a.missing ?? b.missing,
  }
}

/** A name used twice (two tests with the same title) gets a number, so that each test can be followed from run to run. */
export function uniqueNames(cases: readonly TestCase[]): TestCase[] {
  const seen = new Map<string, number>()
  return cases.map((it) => {
    const count = (seen.get(it.name) ?? 0) + 1
    seen.set(it.name, count)
    return count === 1 ? it : { ...it, name: `${it.name} (${count})` }
  })
}
