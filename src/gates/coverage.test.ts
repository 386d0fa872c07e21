import { describe, expect, it } from 'vitest'
import { fakeCase, fakeCommand, judgeWorld, type World } from '../../test/support/judge.ts'
import { ranges } from './coverage.ts'
import type { CoverageReport } from './port.ts'

const base = { 'src/a.js': 'one\ntwo\n' }
const change = { 'src/a.js': 'new 1\none\nnew 2\ntwo\nnew 3\n// a comment\n', 'a.test.js': "it('x', () => { expect(f()).toBe(1) })\n" }
const hits = (lines: Record<number, number>): CoverageReport => ({ files: [{ path: 'src/a.js', lines }] })

function world(coverage: CoverageReport | null, parts: Partial<World> = {}): World {
  return {
    base,
    change,
    kind: 'chore',
    depth: 'full',
    commands: () => [fakeCommand('tests'), fakeCommand('coverage')],
    measure: ({ gate }) => (gate === 'coverage' ? { coverage } : { cases: [fakeCase('a.test.js > x')] }),
    ...parts,
  }
}

describe('coverage of changed lines', () => {
  it('counts only lines that the change brought and that can be run', async () => {
    const { verdict } = await judgeWorld(world(hits({ 1: 3, 2: 0, 3: 1, 4: 0, 5: 1 })))
    expect(verdict.changedCoverage).toEqual({ lines: 3, covered: 3, percent: 100, threshold: 80, uncovered: [] })
    expect(verdict.status).toBe('passed')
  })

  it('warns below the threshold, with the lines', async () => {
    const { verdict } = await judgeWorld(world(hits({ 1: 3, 3: 0, 5: 0 })))
    expect(verdict.changedCoverage).toEqual({
      lines: 3,
      covered: 1,
      percent: 33.3,
      threshold: 80,
      uncovered: [{ file: 'src/a.js', lines: [3, 5] }],
    })
    const gate = verdict.gates.find((it) => it.name === 'coverage')
    expect(gate).toMatchObject({ status: 'warning' })
    expect(gate?.findings).toMatchObject([
      {
        file: 'src/a.js',
        line: 3,
        severity: 'warning',
        rule: 'reeve/coverage-below',
        message: 'Tests reach 1 of 3 changed lines (33.3 %); 80 % is asked for. Not reached here: lines 3, 5.',
      },
    ])
  })

  it('fails below the threshold where that is configured', async () => {
    const { verdict } = await judgeWorld(world(hits({ 1: 0 }), { settings: { gates: { coverage: { below: 'failure', threshold: 50 } } } }))
    expect(verdict.status).toBe('failed')
    expect(verdict.summary).toContain('Tests reach 0 of 1 changed lines')
  })

  it('is content when there is nothing to cover', async () => {
    const { verdict } = await judgeWorld(world(hits({ 2: 0 })))
    expect(verdict.changedCoverage).toMatchObject({ lines: 0, percent: 100 })
  })

  it('names changed code that the report does not know', async () => {
    const { verdict } = await judgeWorld(world({ files: [] }))
    expect(verdict.gates.find((it) => it.name === 'coverage')?.findings).toMatchObject([
      { file: 'src/a.js', rule: 'reeve/coverage-unknown', severity: 'info' },
    ])
  })

  it('is never passed without a report', async () => {
    const { verdict } = await judgeWorld(world(null))
    expect(verdict.gates.find((it) => it.name === 'coverage')).toMatchObject({
      status: 'not_run',
      reason: 'The command wrote no coverage report that can be read.',
    })
    expect(verdict.changedCoverage).toBeNull()
  })

  it('is not measured when the tests fail', async () => {
    const { verdict, ran } = await judgeWorld(
      world(null, { measure: ({ inWorkspace }) => ({ cases: [fakeCase('a.test.js > x', inWorkspace ? 'failed' : 'passed')] }) }),
    )
    expect(ran).not.toContain('coverage in workspace')
    expect(verdict.gates.find((it) => it.name === 'coverage')).toMatchObject({
      status: 'not_run',
      reason: 'The tests fail, so what they reach says nothing.',
    })
  })
})

describe('ranges', () => {
  it.each([
    [[3], 'line 3'],
    [[3, 4, 5, 9], 'lines 3-5, 9'],
  ])('writes %j as "%s"', (lines, text) => expect(ranges(lines)).toBe(text))
})
