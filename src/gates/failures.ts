import type { Finding, TestCounts } from '../core/verdict.ts'
import { isAcceptance } from './command-kinds.ts'
import type { Measurement, TestCase } from './port.ts'

export const COMMAND_FAILED = 'reeve/command-failed'
export const NO_TESTS = 'reeve/no-tests'

export interface Failures {
  /** What makes this measurement red, not attributed yet. */
  blocking: Finding[]
  /** What the tool says besides: warnings of a green run, notes. */
  remarks: Finding[]
  /** Those of `blocking` that are tests. */
  tests: ReadonlySet<Finding>
}

type Measured = Pick<Measurement, 'gate' | 'status' | 'exitCode' | 'findings' | 'cases'> & { outputTail?: string; problem?: string }

// What a person and a model need of a message; the rest is in the output.
const MAX_MESSAGE = 4000

/** What is wrong in a measurement, each failure once. A red measurement always has at least one blocking failure, a green one only for its tests. */
export function failuresOf(measured: Measured): Failures {
  const tests = (measured.cases ?? []).filter((it) => it.status === 'failed').map(testFinding)
  const names = new Set(measured.cases?.map((it) => it.name))
  const others = measured.findings.filter((it) => !names.has(it.rule))
  if (measured.status !== 'failed') return { blocking: tests, remarks: others, tests: new Set(tests) }

  const errors = others.filter((it) => it.severity === 'error')
  // A linter that fails on too many warnings names only warnings: then they are what is wrong.
  const blocking = [...tests, ...(errors.length > 0 || tests.length > 0 ? errors : others.filter((it) => it.severity === 'warning'))]
  const remarks = others.filter((it) => !blocking.includes(it))
  if (blocking.length === 0 && !collectedNothing(measured)) blocking.push(commandFailed(measured))
  return { blocking, remarks, tests: new Set(tests) }
}

/** True when a tests gate ran and found no test at all. */
export function collectedNothing(measured: Pick<Measurement, 'gate' | 'cases'>): boolean {
  return (measured.gate === 'tests' || isAcceptance(measured.gate)) && measured.cases?.length === 0
}

export function countsOf(cases: readonly TestCase[] | null): TestCounts | null {
  if (cases === null) return null
  const count = (status: TestCase['status']) => cases.filter((it) => it.status === status).length
  return { total: cases.length, passed: count('passed'), failed: count('failed'), skipped: count('skipped') }
}

function testFinding(it: TestCase): Finding {
  const message = it.message.trim() || 'The test failed and its runner gave no message.'
  return { file: it.file, line: it.line, severity: 'error', rule: it.name, message: message.slice(0, MAX_MESSAGE), attribution: 'none' }
}

function commandFailed(measured: Measured): Finding {
  const last = (measured.outputTail ?? '').trim().split('\n').slice(-5).join('\n')
  const how = measured.exitCode === null ? measured.problem || 'It did not finish.' : `Exit code ${measured.exitCode}.`
  const message = `${how}${last === '' ? '' : ` Its last lines:\n${last}`}`.slice(0, MAX_MESSAGE)
  return { file: null, line: null, severity: 'error', rule: COMMAND_FAILED, message, attribution: 'none' }
}
