import { describe, expect, it } from 'vitest'
import type { DetectedCommand } from '../../scanner/port.ts'
import type { TestCase } from '../port.ts'
import { finding, NOTHING, type Reading } from '../reports/reading.ts'
import { decide } from './decide.ts'
import { environmentalCause } from './environmental.ts'

const command = (more: Partial<DetectedCommand> = {}): DetectedCommand => ({
  gate: 'tests',
  tool: 'vitest',
  argv: ['vitest', 'run'],
  command: 'npm test',
  cwd: '.',
  reason: '',
  needs: { program: 'vitest', hint: 'Run npm ci.' },
  report: { format: 'junit', path: '{report}/junit.xml' },
  ...more,
})
const run = (more: object = {}) => ({
  ended: 'exited' as const,
  exitCode: 0,
  signal: null,
  problem: '',
  stdout: '',
  stderr: '',
  durationMs: 1500,
  breach: null,
  ...more,
})
const test = (name: string, status: TestCase['status'], failure: TestCase['failure'] = null, message = ''): TestCase => ({
  name,
  file: null,
  line: null,
  status,
  failure,
  message,
})
const reading = (more: Partial<Reading>): Reading => ({ ...NOTHING, ...more })
const rules = (decision: { findings: { rule: string }[] }) => decision.findings.map((it) => it.rule)

describe('a command passed', () => {
  it('when its tests and its exit code say so', () => {
    expect(decide(command(), run(), reading({ cases: [test('a', 'passed'), test('b', 'skipped')] }))).toEqual({
      status: 'passed',
      problem: '',
      findings: [],
    })
  })

  it('when it reports nothing but its exit code', () => {
    expect(decide(command({ tool: 'configured', report: null }), run(), NOTHING).status).toBe('passed')
    expect(decide(command({ gate: 'build', tool: 'cmake' }), run(), NOTHING).status).toBe('passed')
  })

  it('with a warning when it ends well and still names errors', () => {
    const lint = command({ gate: 'lint', tool: 'eslint' })
    expect(decide(lint, run(), reading({ findings: [finding({ rule: 'a', message: 'm' })] })).status).toBe('warning')
    expect(decide(lint, run(), reading({ findings: [finding({ rule: 'a', message: 'm', severity: 'warning' })] })).status).toBe('passed')
  })
})

describe('a command failed', () => {
  it('when a test failed, whatever the exit code', () => {
    const decision = decide(command(), run(), reading({ cases: [test('a', 'failed', 'assertion', 'no')] }))
    expect(decision).toMatchObject({
      status: 'failed',
      problem: 'Tests failed although the command ended with exit code 0.',
      findings: [{ rule: 'a', message: 'no', attribution: 'none' }],
    })
  })

  it('when all tests passed but the exit code says no, and shows its last lines', () => {
    const decision = decide(command(), run({ exitCode: 1, stderr: 'Unhandled rejection\n' }), reading({ cases: [test('a', 'passed')] }))
    expect(decision).toMatchObject({ status: 'failed', findings: [{ rule: 'reeve/command-failed' }] })
    expect(decision.problem).toBe('No test failed, but npm test ended with exit code 1. Its last lines:\nUnhandled rejection')
  })

  it('when a tests gate collected none; another gate may have none', () => {
    expect(decide(command(), run(), reading({ cases: [] }))).toMatchObject({
      status: 'failed',
      problem: 'npm test ran and found no tests.',
      findings: [{ rule: 'reeve/no-tests' }],
    })
    expect(decide(command({ gate: 'acceptance-1' }), run(), reading({ cases: [] })).status).toBe('failed')
    expect(decide(command({ gate: 'coverage' }), run(), reading({ cases: [], coverage: { files: [] } })).status).toBe('passed')
  })

  it('when its runner, which always reports, wrote no report', () => {
    expect(rules(decide(command(), run(), NOTHING))).toEqual(['reeve/no-report'])
    expect(rules(decide(command({ gate: 'coverage', tool: 'c8', report: { format: 'lcov', path: 'x' } }), run(), NOTHING))).toEqual([
      'reeve/no-report',
    ])
  })

  it('when its report is broken; what could be read of it is told too', () => {
    const decision = decide(command(), run(), reading({ problem: 'The report is broken.', cases: [test('a', 'failed', 'error')] }))
    expect(decision).toMatchObject({ status: 'failed', problem: 'The report is broken.' })
    expect(rules(decision)).toEqual(['reeve/bad-report', 'a'])
  })

  it('when it was stopped, with what it had said until then', () => {
    const timeout = decide(command(), run({ ended: 'timeout', exitCode: null }), reading({ cases: [test('a', 'failed', 'error')] }))
    expect(timeout.problem).toBe('npm test did not end within its time limit (2 s) and was stopped.')
    expect(rules(timeout)).toEqual(['reeve/timeout', 'a'])
    expect(rules(decide(command(), run({ ended: 'signalled', exitCode: null, signal: 'SIGSEGV' }), NOTHING))).toEqual(['reeve/killed'])
  })

  it('when it broke a limit, which is named with its value and the peak', () => {
    const broken = { limit: 'file size', allowed: 20, peak: 31, unit: 'MB', setting: 'sandbox.limits.file_size_mb' }
    const decision = decide(command(), run({ ended: 'limit', exitCode: null, breach: broken }), reading({ cases: [test('a', 'failed')] }))
    const sentence = 'npm test was ended: it broke the limit of 20 MB for file size with 31 MB (sandbox.limits.file_size_mb).'
    expect(decision).toMatchObject({ status: 'failed', problem: sentence })
    expect(decision.findings[0]?.message).toBe(sentence)
    expect(rules(decision)).toEqual(['reeve/limit-file-size', 'a'])
    const flood = { limit: 'output', allowed: 1, peak: 2, unit: 'MB', setting: 'sandbox.limits.output_mb' }
    expect(rules(decide(command(), run({ ended: 'flooded', exitCode: null, breach: flood }), NOTHING))).toEqual(['reeve/limit-output'])
  })

  it('with the findings of its compiler alone when it said nothing of tests', () => {
    const decision = decide(command(), run({ exitCode: 2 }), reading({ findings: [finding({ rule: 'TS1', message: 'm' })] }))
    expect(decision).toMatchObject({ status: 'failed', problem: 'It ended with exit code 2.' })
    expect(rules(decision)).toEqual(['TS1'])
  })
})

const problem = (more: object, parts: Partial<DetectedCommand> = {}) => {
  const decision = decide(command(parts), run(more), NOTHING)
  return decision.status === 'not_run' ? decision.problem : decision.status
}

describe('a command was not run', () => {
  it('when its program is missing, with the remedy', () => {
    expect(problem({ ended: 'not_found', exitCode: null })).toBe('vitest was not found. Run npm ci.')
    expect(problem({ ended: 'not_found', exitCode: null, problem: 'The program "tsc" was not found.' })).toBe(
      'tsc was not found. Run npm ci.',
    )
    expect(problem({ ended: 'not_started', exitCode: null, problem: 'It may not be executed.' })).toBe('It may not be executed.')
    expect(problem({ exitCode: 127, stderr: 'sh: 1: vitest: not found\n' })).toMatch(/^vitest was not found\. Install/)
    expect(problem({ exitCode: 127, stderr: '/bin/sh: 1: /opt/x/tool: not found' }), 'a sandbox may hide it').toMatch(
      /^\/opt\/x\/tool was not found\. If it is there, .* sandbox\.read/,
    )
    expect(problem({ exitCode: 127, stderr: '/bin/sh: line 1: jest: command not found' })).toMatch(/^jest was not found\./)
    expect(
      problem({ exitCode: 2, stderr: '/bin/sh: 1: cc2: not found\nmake: *** [Makefile:2: test] Error 127\n' }, { tool: 'make' }),
    ).toMatch(/^cc2 was not found\./)
  })

  it('when Python does not have the module, but not when a test does not', () => {
    const argv = { argv: ['python3', '-m', 'pytest'] } as const
    expect(problem({ exitCode: 1, stderr: '/usr/bin/python3: No module named pytest\n' }, argv)).toBe(
      'The Python module "pytest" is not installed. Run npm ci.',
    )
    expect(problem({ exitCode: 1, stderr: 'Traceback:\nModuleNotFoundError: No module named calc\n' }, argv)).toBe('failed')
  })

  it('when it was aborted', () => {
    expect(problem({ ended: 'aborted', exitCode: null, problem: 'stopped by the person' })).toBe('stopped by the person')
  })

  it('but not when the exit code 127 has another cause', () => {
    expect(problem({ exitCode: 127, stderr: 'custom failure' })).toBe('failed')
  })
})

const cause = (more: object, cases: TestCase[] | null = null) => environmentalCause(run({ exitCode: 1, ...more }), cases)

describe('the machine is at fault', () => {
  it.each([
    [{ stderr: 'npm ERR! ENOSPC: no space' }, 'The disk is full.'],
    [{ stderr: 'getaddrinfo ENOTFOUND some.host' }, 'A name could not be resolved: in a sandbox the programs of a run have no network.'],
    [{ stdout: 'listen EADDRINUSE: address already in use' }, 'A port that is needed is in use already.'],
    [{ stderr: 'No CMAKE_CXX_COMPILER could be found.' }, 'A compiler or toolchain is missing.'],
    [{ exitCode: 137 }, 'It was killed (SIGKILL), most often because memory ran out.'],
    [{ ended: 'signalled', exitCode: null, signal: 'SIGKILL' }, 'It was killed (SIGKILL), most often because memory ran out.'],
  ])('when it says so: %j', (more, expected) => {
    expect(cause(more)).toBe(expected)
  })

  it('not when a test did not hold, whatever it prints', () => {
    expect(cause({ stdout: 'ENOSPC' }, [test('a', 'failed', 'assertion', 'ENOSPC')])).toBeNull()
    expect(cause({ stdout: 'ENOSPC' }, [test('a', 'failed', 'error', 'ENOSPC'), test('b', 'failed', 'error', 'TypeError')])).toBeNull()
    expect(cause({ stdout: 'ENOSPC' }, [test('a', 'passed')])).toBeNull()
    expect(cause({ ended: 'limit', exitCode: null, signal: 'SIGKILL', stderr: 'Cannot allocate memory' }), 'its own limit').toBeNull()
    expect(cause({}, [test('a', 'failed', 'error', 'Error: listen EADDRINUSE')])).toBe('A port that is needed is in use already.')
  })

  it('not when nothing says so', () => {
    expect(cause({ stderr: 'it is just wrong' })).toBeNull()
  })
})
