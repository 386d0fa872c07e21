import { describe, expect, it } from 'vitest'
import type { Finding, GateResult, RedProof } from '../core/verdict.ts'
import { verdictOf } from './verdict.ts'

const gate = (name: string, status: GateResult['status'], parts: Partial<GateResult> = {}): GateResult => ({
  name,
  status,
  command: `run ${name}`,
  cwd: '.',
  reason: 'because',
  durationMs: 1,
  exitCode: 0,
  findings: [],
  tests: null,
  base: null,
  outputTail: '',
  ...parts,
})
const finding = (parts: Partial<Finding>): Finding => ({
  file: 'src/a.ts',
  line: 3,
  severity: 'error',
  rule: 'TS1',
  message: 'wrong',
  attribution: 'introduced',
  ...parts,
})
const proof = (status: RedProof['status'], reason = 'because.'): RedProof => ({ status, reason, files: [], red: [], vacuous: [] })
const tests = { total: 2, passed: 1, failed: 1, skipped: 0 }

describe('verdictOf', () => {
  const cases: {
    what: string
    gates: GateResult[]
    redProof?: RedProof
    optional?: string[]
    status: string
    score: number
    summary: string
  }[] = [
    {
      what: 'all green',
      gates: [gate('build', 'passed'), gate('tests', 'passed')],
      redProof: proof('proved', '1 of 1 test fails.'),
      status: 'passed',
      score: 1,
      summary: '2 gates passed; proved: 1 of 1 test fails.',
    },
    {
      what: 'one introduced test failure',
      gates: [gate('build', 'passed'), gate('tests', 'failed', { tests, findings: [finding({ rule: 'a.test.ts > adds' })] })],
      status: 'failed',
      score: 0.5,
      summary: '1 test fails that does not fail on the base: a.test.ts > adds; 1 gate passed.',
    },
    {
      what: 'several',
      gates: [
        gate('tests', 'failed', {
          tests,
          findings: [finding({ rule: 'a > b' }), finding({ rule: 'a > c' }), finding({ rule: 'a > d', attribution: 'pre-existing' })],
        }),
      ],
      status: 'failed',
      score: 0,
      summary: '2 tests fail that do not fail on the base: a > b and others.',
    },
    {
      what: 'a type error',
      gates: [gate('types', 'failed', { findings: [finding({})] })],
      status: 'failed',
      score: 0,
      summary: 'Types failed with 1 finding in src/a.ts:3: wrong.',
    },
    {
      what: 'a refuted proof',
      gates: [gate('tests', 'passed')],
      redProof: proof('refuted', 'There are no tests.'),
      status: 'failed',
      score: 0.5,
      summary: 'Proof refuted: There are no tests; 1 gate passed.',
    },
    {
      what: 'a proof that could not be made',
      gates: [gate('tests', 'passed')],
      redProof: proof('not_run', 'No base.'),
      status: 'warning',
      score: 0.5,
      summary: '1 gate passed; no proof: No base.',
    },
    {
      what: 'old failures',
      gates: [gate('lint', 'warning', { findings: [finding({ attribution: 'pre-existing' })] }), gate('tests', 'passed')],
      status: 'warning',
      score: 1,
      summary: '1 gate passed; lint: 1 failure was there before.',
    },
    {
      what: 'a flaky test',
      gates: [gate('tests', 'warning', { tests, findings: [finding({ attribution: 'flaky' })] })],
      status: 'warning',
      score: 1,
      summary: 'Tests: 1 flaky, passed when run again.',
    },
    {
      what: 'a lint tool that is missing',
      gates: [gate('lint', 'not_run', { reason: 'eslint was not found.' }), gate('tests', 'passed')],
      status: 'warning',
      score: 0.5,
      summary: '1 gate passed; lint could not run: eslint was not found.',
    },
    {
      what: 'tests that could not run',
      gates: [gate('lint', 'passed'), gate('tests', 'not_run', { reason: 'No disk.' })],
      status: 'not_run',
      score: 0.5,
      summary: '1 gate passed; tests could not run: No disk.',
    },
    {
      what: 'gates that the project does not have',
      gates: [gate('lint', 'not_run', { command: null }), gate('tests', 'passed')],
      status: 'passed',
      score: 1,
      summary: '1 gate passed.',
    },
    {
      what: 'coverage nobody asked for',
      gates: [gate('tests', 'passed'), gate('coverage', 'not_run', { reason: 'No tool.' })],
      optional: ['coverage'],
      status: 'passed',
      score: 1,
      summary: '1 gate passed; coverage could not run: No tool.',
    },
    { what: 'nothing at all', gates: [], status: 'not_run', score: 0, summary: 'No gate could be run, so nothing is known.' },
  ]
  it.each(cases)('$what', ({ gates, redProof = proof('not_needed'), optional = [], status, score, summary }) => {
    const verdict = verdictOf({ gates, redProof, changedCoverage: null, tree: 't', base: 'b', optional: new Set(optional) })
    expect({ status: verdict.status, score: verdict.score, summary: verdict.summary }).toEqual({ status, score, summary })
  })
})
