import type { Finding, GateResult } from '../core/verdict.ts'
import type { BaseResults } from './base-results.ts'
import type { Bench } from './bench.ts'
import type { ConfigChange } from './config/changes.ts'
import { disappearedTests } from './disappeared.ts'
import type { Places } from './places.ts'
import { protectedFindings } from './protected.ts'
import type { GateRun } from './run-gate.ts'
import type { FileTests } from './test-pairs.ts'
import { deletedTestFiles, rewrittenSnapshots, weakenedTests } from './weakening.ts'

/** What the change did to its judges: tests, configuration, protected files. Read from the files alone. */
export async function tamperedFiles(
  bench: Bench,
  places: Places,
  files: readonly FileTests[],
  configs: readonly ConfigChange[],
): Promise<Finding[]> {
  const guarded = await protectedFindings(bench)
  const told = new Set(guarded.map((it) => it.file))
  return [
    ...weakenedTests(files, bench.request.task.kind),
    ...deletedTestFiles(bench, files, places.moved),
    ...rewrittenSnapshots(bench),
    ...configs.filter((it) => !told.has(it.path)).map((it) => it.finding),
    ...guarded,
  ]
}

/** Tests that the runner reported on the base and reports no more, where both were measured. */
export function tamperedRuns(runs: readonly GateRun[], base: BaseResults, files: readonly FileTests[], places: Places): Finding[] {
  return runs.flatMap(({ command, measurement }) => {
    const known = base.known(command)
    return measurement && known?.known === true ? disappearedTests(measurement, known.measurement, files, places) : []
  })
}

/** reeve's own gate: did the change leave alone what judges it? */
export function integrityGate(findings: readonly Finding[]): GateResult {
  const worst = new Set(findings.map((it) => it.severity))
  const status = worst.has('error') ? 'failed' : worst.has('warning') ? 'warning' : 'passed'
  return {
    name: 'integrity',
    status,
    command: null,
    cwd: '.',
    reason: 'reeve compares the tests, the configuration of the gates and the protected files with the base.',
    durationMs: 0,
    exitCode: null,
    findings: [...findings],
    tests: null,
    base: null,
    outputTail: '',
  }
}
