import type { Finding, GateResult } from '../core/verdict.ts'
import type { DetectedCommand } from '../scanner/port.ts'
import type { Checkout } from '../workspace/port.ts'
import { attribute, breaksAlike, statusOf } from './attribution.ts'
import type { BaseResult, BaseResults } from './base-results.ts'
import type { Bench } from './bench.ts'
import { judgesBehaviour } from './command-kinds.ts'
import { COMMAND_FAILED, collectedNothing, countsOf, type Failures, failuresOf, NO_TESTS } from './failures.ts'
import { findFlaky } from './flaky.ts'
import type { Places } from './places.ts'
import type { Measurement } from './port.ts'
import { isLimit } from './tools/decide.ts'

/** A gate with what was measured for it; `measurement` is null when it was not run at all. */
export interface GateRun {
  command: DetectedCommand
  result: GateResult
  measurement: Measurement | null
}

export interface GateBench {
  bench: Bench
  places: Places
  base: BaseResults
  /** Where the gates run: the workspace, or a copy of it. */
  at: Checkout
  /** Compare with the base even when all is green. */
  compareAlways: boolean
}

/**
 * Runs one command on the change and judges what it says against the base. `testsFail`: tests are known to fail (before the change, or now and
 * then), so that a coverage command, which runs them too, ends with their exit code.
 */
export async function runGate(it: GateBench, command: DetectedCommand, testsFail: boolean): Promise<GateRun> {
  const { bench, base } = it
  const measurement = withoutTestExit(await bench.measure(command, it.at, 'change'), testsFail)
  const compared = bench.request.comparison !== null
  const wanted = measurement.status === 'failed' || collectedNothing(measurement) || (it.compareAlways && command.gate === 'tests')
  const usable = measurement.status !== 'not_run' && !measurement.environmental
  const baseResult = compared && wanted && usable ? await base.result(command) : compared ? base.known(command) : null
  const result = await judged(it, command, measurement, compared ? (baseResult ?? { known: false, reason: '' }) : null)
  const own = result.findings.filter((found) => found.attribution === 'introduced' || found.attribution === 'tampered')
  const { gate } = command
  const counts = { introduced: own.length, total: result.findings.length, durationMs: measurement.durationMs }
  bench.emit({ type: 'gate.finished', gate, status: result.status, where: 'change', ...counts })
  return { command, result, measurement }
}

function withoutTestExit(measured: Measurement, testsFail: boolean): Measurement {
  if (!testsFail || measured.gate !== 'coverage' || measured.coverage === null || measured.environmental) return measured
  return { ...measured, status: 'passed', findings: [], cases: null }
}

async function judged(it: GateBench, command: DetectedCommand, measured: Measurement, base: BaseResult | null): Promise<GateResult> {
  const whole = resultOf(measured, base)
  if (measured.status === 'not_run') return { ...whole, status: 'not_run', reason: measured.problem || measured.reason }
  const failures = failuresOf(measured)
  if (measured.environmental) return environmental(whole, measured, failures.blocking)
  if (collectedNothing(measured) && failures.blocking.every((found) => found.rule === NO_TESTS)) return nothingCollected(it, whole, base)
  if (failures.blocking.length === 0) return { ...whole, status: measured.status, findings: failures.remarks }
  if (base?.known === true && breaksAlike(measured, base.measurement, command)) {
    return environmental(
      whole,
      { problem: `${measured.tool} breaks in the same way on the base, so it says nothing about the change.` },
      failures.blocking,
    )
  }
  const limit = base?.known === true ? alsoOnBase(failures.blocking, base.measurement.findings) : null
  if (limit !== null) return environmental(whole, { problem: `${limit} It does so on the base too: raise the limit.` }, failures.blocking)
  const attributed = await attribute(failures, base, it.places, command)
  const settled = judgesBehaviour(command) ? await withoutFlaky(it, command, attributed, failures) : attributed
  const reason =
    base?.known === false && base.reason !== '' ? `${measured.reason} All failures count as introduced: ${base.reason}.` : measured.reason
  return { ...whole, reason, status: statusOf(settled), findings: [...settled, ...failures.remarks] }
}

/** The sentence of a limit that is broken on both sides: then it is too low for the project, whatever the change does. */
function alsoOnBase(now: readonly Finding[], base: readonly Finding[]): string | null {
  return now.find((it) => isLimit(it) && base.some(({ rule }) => rule === it.rule))?.message ?? null
}

async function withoutFlaky(
  it: GateBench,
  command: DetectedCommand,
  attributed: readonly Finding[],
  failures: Failures,
): Promise<Finding[]> {
  // `attributed` is `failures.blocking` in the same order. What is no test (a time-out, a compiler's error) does not come and go.
  const canPass = (found: Finding, at: number) => failures.tests.has(failures.blocking[at] ?? found) || found.rule === COMMAND_FAILED
  const suspects = attributed.filter((found, at) => ['introduced', 'none'].includes(found.attribution) && canPass(found, at))
  if (suspects.length === 0) return [...attributed]
  const flaky = await findFlaky(it.bench, command, it.at, suspects)
  return attributed.map((found) =>
    suspects.includes(found) && flaky.has(found.rule)
      ? { ...found, attribution: 'flaky', message: `Failed once and passed when it was run again. ${found.message}` }
      : found,
  )
}

function resultOf(measured: Measurement, base: BaseResult | null): GateResult {
  const old = base?.known === true ? base.measurement : null
  return {
    name: measured.gate,
    status: measured.status,
    command: measured.command,
    cwd: measured.cwd,
    reason: measured.reason,
    durationMs: measured.durationMs,
    exitCode: measured.exitCode,
    findings: [],
    tests: countsOf(measured.cases),
    base: old === null ? null : { status: old.status, tests: countsOf(old.cases) },
    outputTail: measured.outputTail,
  }
}

function environmental(whole: GateResult, measured: Pick<Measurement, 'problem'>, blocking: readonly Finding[]): GateResult {
  const findings = blocking.map((it) => ({ ...it, attribution: 'environmental' as const }))
  return { ...whole, status: 'not_run', reason: measured.problem || 'It failed for a reason outside the project.', findings }
}

/** No test at all: a failure, unless there was none before either and the task is not about behaviour. */
function nothingCollected(it: GateBench, whole: GateResult, base: BaseResult | null): GateResult {
  const { kind } = it.bench.request.task
  const noneBefore = base?.known === true && collectedNothing({ gate: whole.name, cases: base.measurement.cases })
  if (noneBefore && (kind === 'docs' || kind === 'chore')) {
    return { ...whole, status: 'not_run', reason: 'The command found no tests, and there were none on the base.' }
  }
  const message =
    base?.known === true && !noneBefore
      ? 'The command ran and found no tests; on the base it found some.'
      : 'The command ran and found no tests.'
  const attribution = base === null ? 'none' : 'introduced'
  return { ...whole, status: 'failed', findings: [{ file: null, line: null, severity: 'error', rule: NO_TESTS, message, attribution }] }
}
