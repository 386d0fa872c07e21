import type { GateStatus } from '../../core/verdict.ts'
import type { Breach, ProgramResult } from '../../process/port.ts'
import { breachSentence } from '../../process/sentences.ts'
import type { DetectedCommand } from '../../scanner/port.ts'
import type { Finding, TestCase } from '../port.ts'
import { finding, type Reading } from '../reports/reading.ts'
import { alwaysReports } from './readers.ts'

export interface Decision {
  status: GateStatus
  problem: string
  findings: Finding[]
}

type Run = Pick<ProgramResult, 'ended' | 'exitCode' | 'signal' | 'problem' | 'stdout' | 'stderr' | 'durationMs' | 'breach'>

const isTests = (command: DetectedCommand) => command.gate === 'tests' || command.gate.startsWith('acceptance-')

/** Characters at the end of the output where a shell complains. */
const LAST = 4000
/** What a shell, npm or make says when a program of theirs is not there. */
const ABSENT = /(?:^|[:\n]) ?([\w@./+-]+): (?:(?:command )?not found|No such file or directory)$/m
/** A module that Python was asked to run and does not have. */
const NO_MODULE = /: No module named (\w+)\s*$/m

const INSTALL = "Install the project's dependencies, or add that to [project] setup in reeve.toml."
const HIDDEN = 'If it is there, the sandbox does not show it: name its folder in sandbox.read of your own configuration.'

/** The tool that turned out not to be there, in one sentence; null when it was. */
export function missingTool(command: DetectedCommand, run: Run): string | null {
  const hint = command.needs === null ? '' : ` ${command.needs.hint}`
  // It may be a program that runs before the command's own.
  const named = /"([^"]+)"/.exec(run.problem)?.[1]
  if (run.ended === 'not_found') return `${named ?? command.needs?.program ?? command.argv[0]} was not found.${hint}`
  // The reason says it all; where the sandbox itself failed, getting the tool would not help.
  if (run.ended === 'not_started') return run.problem
  // make ends with 2 and says what its shell ended with.
  if (run.exitCode === 127 || (run.exitCode === 2 && /\bError 127$/m.test(run.stderr.slice(-LAST)))) {
    const found = ABSENT.exec(`${run.stderr.slice(-LAST)}\n${run.stdout.slice(-LAST)}`)
    if (found) return `${found[1]} was not found. ${found[1]?.startsWith('/') ? HIDDEN : INSTALL}`
  }
  const module = run.exitCode === 1 && command.argv.includes('-m') ? NO_MODULE.exec(run.stderr.trim()) : null
  // Only python's own complaint, which is all it says; an import that fails in a test is the test's.
  if (module && run.stderr.trim().split('\n').length === 1) return `The Python module "${module[1]}" is not installed.${hint}`
  return null
}

function testFindings(cases: readonly TestCase[]): Finding[] {
  return cases
    .filter((it) => it.status === 'failed')
    .map((it) =>
      finding({ file: it.file, line: it.line, rule: it.name, message: it.message || 'The test failed and its runner gave no message.' }),
    )
}

const LIMIT_RULE = 'reeve/limit-'

function limitRule({ limit }: Breach): string {
  return `${LIMIT_RULE}${limit.replaceAll(' ', '-')}`
}

/** Does this say that a limit of the sandbox was broken? */
export function isLimit(found: Pick<Finding, 'rule'>): boolean {
  return found.rule.startsWith(LIMIT_RULE)
}

function endedBadly(command: DetectedCommand, run: Run): Decision | null {
  if (run.ended === 'aborted') return { status: 'not_run', problem: run.problem || 'It was stopped before it ended.', findings: [] }
  if (run.ended === 'timeout') {
    const message = `${command.command} did not end within its time limit (${Math.round(run.durationMs / 1000)} s) and was stopped.`
    return {
      status: 'failed',
      problem: message,
      findings: [finding({ rule: 'reeve/timeout', message: `${command.command} did not end within its time limit and was stopped.` })],
    }
  }
  if (run.breach !== null && (run.ended === 'limit' || run.ended === 'flooded')) {
    const message = breachSentence(command.command, run.breach)
    return { status: 'failed', problem: message, findings: [finding({ rule: limitRule(run.breach), message })] }
  }
  if (run.ended === 'signalled') {
    const message = `${command.command} was ended by ${run.signal ?? 'a signal'}.`
    return { status: 'failed', problem: message, findings: [finding({ rule: 'reeve/killed', message })] }
  }
  return null
}

function byCases(command: DetectedCommand, run: Run, cases: readonly TestCase[]): Decision {
  const findings = testFindings(cases)
  if (findings.length > 0)
    return { status: 'failed', problem: run.exitCode === 0 ? 'Tests failed although the command ended with exit code 0.' : '', findings }
  if (isTests(command) && cases.length === 0) {
    const message = `${command.command} ran and found no tests.`
    return { status: 'failed', problem: message, findings: [finding({ rule: 'reeve/no-tests', message })] }
  }
  if (run.exitCode === 0) return { status: 'passed', problem: '', findings }
  const last = `${run.stdout}\n${run.stderr}`.trim().split('\n').slice(-5).join('\n').slice(-1000)
  const message = `No test failed, but ${command.command} ended with exit code ${run.exitCode ?? 'none'}. Its last lines:\n${last}`
  return { status: 'failed', problem: message, findings: [finding({ rule: 'reeve/command-failed', message })] }
}

/** Whether a command passed: its end, its report and its exit code must agree. Everything doubtful is a failure with a reason. */
export function decide(command: DetectedCommand, run: Run, reading: Reading): Decision {
  const bad = endedBadly(command, run)
  if (bad) return { ...bad, findings: [...bad.findings, ...testFindings(reading.cases ?? []), ...reading.findings] }
  const missing = reading.missing ?? missingTool(command, run)
  if (missing !== null) return { status: 'not_run', problem: missing, findings: [] }
  if (reading.problem !== null) {
    const findings = [
      finding({ rule: 'reeve/bad-report', message: reading.problem }),
      ...testFindings(reading.cases ?? []),
      ...reading.findings,
    ]
    return { status: 'failed', problem: reading.problem, findings }
  }
  if (reading.cases !== null) {
    const decision = byCases(command, run, reading.cases)
    return { ...decision, findings: [...decision.findings, ...reading.findings] }
  }
  if (run.exitCode !== 0)
    return { status: 'failed', problem: run.problem || `It ended with exit code ${run.exitCode}.`, findings: reading.findings }
  if (isTests(command) && alwaysReports(command)) {
    const message = `${command.command} ended with exit code 0 but wrote no report of its tests.`
    return { status: 'failed', problem: message, findings: [finding({ rule: 'reeve/no-report', message })] }
  }
  if (command.gate === 'coverage' && reading.coverage === null && command.report?.format !== 'exit-code') {
    const message = `${command.command} ended with exit code 0 but wrote no coverage report.`
    return { status: 'failed', problem: message, findings: [finding({ rule: 'reeve/no-report', message })] }
  }
  return { status: reading.findings.some((it) => it.severity === 'error') ? 'warning' : 'passed', problem: '', findings: reading.findings }
}
