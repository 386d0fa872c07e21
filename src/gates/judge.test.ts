import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../test/support/folder.ts'
import {
  code,
  fakeCase,
  fakeCommand,
  gate,
  type Judged,
  judgeWorld,
  remark,
  type Sight,
  tests,
  type World,
} from '../../test/support/judge.ts'
import { introducedFindings } from '../core/verdict.ts'
import type { Finding, Measurement } from './port.ts'

const A = 'a.test.js > adds'
const B = 'a.test.js > halves'
const overMemory = (peak: number): Partial<Measurement> => {
  const message = `It was ended: it broke the limit of 512 MB for memory with ${peak} MB (sandbox.limits.memory_mb).`
  const found = remark({ file: null, line: null, rule: 'reeve/limit-memory', message })
  return { status: 'failed', exitCode: null, problem: message, cases: null, findings: [found] }
}

const attributions = (judged: Judged, name = 'tests') => gate(judged, name).findings.map((it) => `${it.attribution} ${it.rule}`)

describe('attribution of tests', () => {
  const cases: { what: string; measure: (sight: Sight) => Partial<Measurement>; status: string; found: string[]; kind?: World['kind'] }[] =
    [
      { what: 'passes when all pass', measure: () => tests(fakeCase(A)), status: 'passed', found: [] },
      {
        what: 'calls a failure introduced when the test passes on the base',
        measure: ({ inWorkspace }) => tests(fakeCase(A, inWorkspace ? 'failed' : 'passed'), fakeCase(B)),
        status: 'failed',
        found: [`introduced ${A}`],
      },
      {
        what: 'calls a failure pre-existing when the test fails on the base too',
        measure: () => tests(fakeCase(A, 'failed')),
        status: 'warning',
        found: [`pre-existing ${A}`],
      },
      {
        what: 'calls a new failing test introduced',
        measure: ({ inWorkspace }) => (inWorkspace ? tests(fakeCase(A), fakeCase(B, 'failed')) : tests(fakeCase(A))),
        status: 'failed',
        found: [`introduced ${B}`],
      },
      {
        what: 'does not excuse a test that was skipped on the base',
        measure: ({ inWorkspace }) => tests(fakeCase(A, inWorkspace ? 'failed' : 'skipped')),
        status: 'failed',
        found: [`introduced ${A}`],
      },
      {
        what: 'tells the two apart in one run',
        measure: ({ inWorkspace }) => tests(fakeCase(A, 'failed'), fakeCase(B, inWorkspace ? 'failed' : 'passed')),
        status: 'failed',
        found: [`pre-existing ${A}`, `introduced ${B}`],
      },
      {
        what: 'calls a failure flaky when it passes in the first run again and in the whole one after it',
        measure: ({ inWorkspace, runs }) => tests(fakeCase(A, inWorkspace && runs === 0 ? 'failed' : 'passed')),
        status: 'warning',
        found: [`flaky ${A}`],
      },
      {
        what: 'calls a failure introduced when it passes alone and fails with the others',
        measure: ({ inWorkspace, onlyTests }) => tests(fakeCase(A, inWorkspace && !onlyTests ? 'failed' : 'passed')),
        status: 'failed',
        found: [`introduced ${A}`],
      },
      {
        what: 'does not let a test that failed by chance on the base excuse the change',
        measure: ({ inWorkspace, onlyTests }) => tests(fakeCase(A, inWorkspace || !onlyTests ? 'failed' : 'passed')),
        status: 'failed',
        found: [`introduced ${A}`],
      },
      {
        what: 'says not run when the machine is at fault',
        measure: () => ({ status: 'failed', environmental: true, problem: 'No space left on device.', cases: null }),
        status: 'not_run',
        found: ['environmental reeve/command-failed'],
      },
      {
        what: 'says not run when the tool is missing',
        measure: () => ({ status: 'not_run', problem: 'vitest was not found. Run: npm ci' }),
        status: 'not_run',
        found: [],
      },
      {
        what: 'says not run when the tool breaks in the same way on the base',
        measure: () => ({ status: 'failed', exitCode: 2, cases: null }),
        status: 'not_run',
        found: ['environmental reeve/command-failed'],
      },
      {
        what: 'says that the change breaks a limit',
        measure: ({ inWorkspace }) => (inWorkspace ? overMemory(600) : tests(fakeCase(A))),
        status: 'failed',
        found: ['introduced reeve/limit-memory'],
      },
      {
        what: 'says not run when the base breaks the same limit',
        measure: ({ inWorkspace }) => overMemory(inWorkspace ? 600 : 700),
        status: 'not_run',
        found: ['environmental reeve/limit-memory'],
      },
      {
        what: 'counts everything as introduced when the base cannot be measured',
        measure: ({ inWorkspace }) =>
          inWorkspace ? tests(fakeCase(A, 'failed')) : { status: 'not_run', problem: 'vitest was not found.' },
        status: 'failed',
        found: [`introduced ${A}`],
      },
      {
        what: 'fails when no test was collected',
        measure: ({ inWorkspace }) => tests(...(inWorkspace ? [] : [fakeCase(A)])),
        status: 'failed',
        found: ['introduced reeve/no-tests'],
      },
      {
        what: 'fails when no test was collected for a feature, even when the base had none',
        kind: 'feature',
        measure: () => tests(),
        status: 'failed',
        found: ['introduced reeve/no-tests'],
      },
      { what: 'says not run when a chore is done where there never were tests', measure: () => tests(), status: 'not_run', found: [] },
      {
        what: 'fails on a failing test whose command ends with exit code 0',
        measure: ({ inWorkspace }) => ({ cases: [fakeCase(A, inWorkspace ? 'failed' : 'passed')], status: 'passed', exitCode: 0 }),
        status: 'failed',
        found: [`introduced ${A}`],
      },
      {
        what: 'names each failing test once, although the tool lists it as a finding too',
        measure: ({ inWorkspace }) =>
          inWorkspace ? { status: 'failed', cases: [fakeCase(A, 'failed')], findings: [remark({ rule: A })] } : tests(fakeCase(A)),
        status: 'failed',
        found: [`introduced ${A}`],
      },
    ]
  it.each(cases)('$what', async ({ measure, status, found, kind }) => {
    const judged = await judgeWorld(code(measure, kind ? { kind } : {}))
    expect(gate(judged, 'tests').status).toBe(status)
    expect(attributions(judged)).toEqual(found)
    expect(judged.open).toBe(0)
  })

  it('gives only the introduced failures back to the agent', async () => {
    const judged = await judgeWorld(code(({ inWorkspace }) => tests(fakeCase(A, 'failed'), fakeCase(B, inWorkspace ? 'failed' : 'passed'))))
    expect(introducedFindings(judged.verdict).map((it) => it.rule)).toEqual([B])
  })

  it('knows a test of a moved file again', async () => {
    const text = "it('adds', () => {\n  expect(add(1)).toBe(2)\n})\n"
    const judged = await judgeWorld({
      base: { 'a.test.js': text },
      change: { 'test/a.test.js': text },
      measure: ({ inWorkspace }) => tests(fakeCase(`${inWorkspace ? 'test/' : ''}a.test.js > adds`, 'failed')),
    })
    expect(attributions(judged)).toEqual(['pre-existing test/a.test.js > adds'])
    expect(gate(judged, 'integrity').findings).toEqual([])
  })

  it('does not run a test again that waited for ever', async () => {
    const judged = await judgeWorld(
      code(({ inWorkspace }) =>
        inWorkspace ? { status: 'failed', findings: [remark({ rule: 'reeve/timeout', file: null })], cases: null } : tests(fakeCase(A)),
      ),
    )
    expect(judged.ran).toEqual(['tests in workspace', 'tests in scratch'])
    expect(gate(judged, 'tests').status).toBe('failed')
  })

  it('has no attribution without a base, and fails all the same', async () => {
    const judged = await judgeWorld(code(() => tests(fakeCase(A, 'failed')), { alone: true }))
    expect(attributions(judged)).toEqual([`none ${A}`])
    expect(judged.verdict.status).toBe('failed')
    expect(judged.verdict.gates.map((it) => it.name)).not.toContain('integrity')
  })
})

const exitCodes = () => [fakeCommand('tests', { tool: 'make', report: { format: 'exit-code', path: null } })]

describe('commands that tell only an exit code', () => {
  const red = { status: 'failed', exitCode: 2, outputTail: 'make: *** [test] Error 1' } as const
  const cases: { what: string; measure: World['measure']; status: string; found: string[]; acceptance?: boolean }[] = [
    {
      what: 'fails when the base passes',
      measure: ({ inWorkspace }) => (inWorkspace ? red : {}),
      status: 'failed',
      found: ['introduced reeve/command-failed'],
    },
    { what: 'warns when the base fails too', measure: () => red, status: 'warning', found: ['pre-existing reeve/command-failed'] },
    {
      what: 'is flaky when it passes again',
      measure: ({ inWorkspace, runs }) => (inWorkspace && runs === 0 ? red : {}),
      status: 'warning',
      found: ['flaky reeve/command-failed'],
    },
  ]
  it.each(cases)('$what', async ({ measure, status, found }) => {
    const judged = await judgeWorld(code(measure, { commands: exitCodes }))
    expect(gate(judged, 'tests').status).toBe(status)
    expect(attributions(judged)).toEqual(found)
  })

  it('builds on the base before it asks there', async () => {
    const judged = await judgeWorld(
      code(({ gate: name, inWorkspace }) => (name === 'tests' && inWorkspace ? red : {}), {
        commands: () => [fakeCommand('build'), ...exitCodes()],
      }),
    )
    expect(judged.ran.slice(0, 4)).toEqual(['build in workspace', 'tests in workspace', 'build in scratch', 'tests in scratch'])
  })

  it('accepts no excuse for a command that the task asks for', async () => {
    const judged = await judgeWorld(
      code(() => red, { commands: () => [fakeCommand('acceptance-1', { tool: 'configured', report: null })] }),
    )
    expect(attributions(judged, 'acceptance-1')).toEqual(['introduced reeve/command-failed'])
    expect(judged.verdict.status).toBe('failed')
  })
})

describe('attribution of remarks', () => {
  const base = 'a\nb\nc\n'
  const change = 'new\na\nb\nc\n'
  const lint = (now: Finding[], before: Finding[]): World => ({
    base: { 'src/a.js': base },
    change: { 'src/a.js': change },
    commands: () => [fakeCommand('lint')],
    measure: ({ inWorkspace }) => ({
      findings: inWorkspace ? now : before,
      status: (inWorkspace ? now : before).length > 0 ? 'failed' : 'passed',
    }),
  })
  const cases: { what: string; now: Finding[]; before: Finding[]; status: string; found: string[] }[] = [
    {
      what: 'follows a remark to its new line',
      now: [remark({ line: 3 })],
      before: [remark({ line: 2 })],
      status: 'warning',
      found: ['pre-existing no-x'],
    },
    {
      what: 'calls the one on the new line new',
      now: [remark({ line: 1 }), remark({ line: 3 })],
      before: [remark({ line: 2 })],
      status: 'failed',
      found: ['introduced no-x', 'pre-existing no-x'],
    },
    {
      what: 'compares messages without their numbers',
      now: [remark({ line: 4, message: 'declared on line 12' })],
      before: [remark({ line: 3, message: 'declared on line 11' })],
      status: 'warning',
      found: ['pre-existing no-x'],
    },
    {
      what: 'does not excuse another rule',
      now: [remark({ line: 3, rule: 'no-y' })],
      before: [remark({ line: 2 })],
      status: 'failed',
      found: ['introduced no-y'],
    },
    {
      what: 'does not excuse another file',
      now: [remark({ file: 'src/b.js' })],
      before: [remark({})],
      status: 'failed',
      found: ['introduced no-x'],
    },
    {
      what: 'blames warnings where they make the tool fail',
      now: [remark({ severity: 'warning' })],
      before: [],
      status: 'failed',
      found: ['introduced no-x'],
    },
  ]
  it.each(cases)('$what', async ({ now, before, status, found }) => {
    const judged = await judgeWorld(lint(now, before))
    expect(gate(judged, 'lint').status).toBe(status)
    expect(attributions(judged, 'lint')).toEqual(found)
  })
})

describe('the base', () => {
  it('is not measured while all is green', async () => {
    const judged = await judgeWorld(code(() => tests(fakeCase(A))))
    expect(judged.ran).toEqual(['tests in workspace'])
    expect(gate(judged, 'tests').base).toBeNull()
  })

  it('is measured at the end of the work, for the record', async () => {
    const judged = await judgeWorld(code(() => tests(fakeCase(A)), { depth: 'full' }))
    expect(gate(judged, 'tests').base).toEqual({ status: 'passed', tests: { total: 1, passed: 1, failed: 0, skipped: 0 } })
  })

  it('is measured once for many judgements', async () => {
    const cacheDir = temporaryFolder()
    const world = code(({ inWorkspace }) => tests(fakeCase(A, inWorkspace ? 'failed' : 'passed')), { cacheDir })
    const first = await judgeWorld(world)
    const second = await judgeWorld(world)
    expect(first.ran.filter((it) => it === 'tests in scratch')).toHaveLength(1)
    expect(second.ran.filter((it) => it === 'tests in scratch')).toHaveLength(0)
    expect(attributions(second)).toEqual([`introduced ${A}`])
  })

  it('37: the base is measured where nothing of the change is, where there is such a place', async () => {
    const judged = await judgeWorld(
      code(() => tests(fakeCase(A, 'failed')), { cleanCheckout: () => Promise.reject(new Error('this is the clean one')) }),
    )
    expect(gate(judged, 'tests').reason).toContain('the base could not be measured: this is the clean one')
  })

  it('blames the change, with the reason, when it cannot be checked out', async () => {
    const judged = await judgeWorld(
      code(() => tests(fakeCase(A, 'failed')), { baseCheckout: () => Promise.reject(new Error('disk is full')) }),
    )
    expect(attributions(judged)).toEqual([`introduced ${A}`])
    expect(gate(judged, 'tests').reason).toContain('the base could not be measured: disk is full')
  })
})
