import { describe, expect, it } from 'vitest'
import { type Files, fakeCase, judgeWorld, type Sight, type World } from '../../test/support/judge.ts'
import type { Measurement, TestCase } from './port.ts'

const OLD = 'a.test.js > adds'
const adds = "it('adds', () => { expect(add(1)).toBe(2) })\n"
const base: Files = { 'src/a.js': 'export const add = (a) => a + 1\n', 'a.test.js': adds }
const change: Files = { ...base, 'src/a.js': 'export const add = (a) => a + 1\nexport const double = (a) => a * 2\n' }

const tests = (...cases: TestCase[]): Partial<Measurement> => ({ cases })
const hasCode = ({ files }: Sight) => files['src/a.js']?.includes('double') ?? false
const feature = (parts: Partial<World> & Pick<World, 'measure'>): World => ({ base, change, kind: 'feature', depth: 'full', ...parts })
const quiet = () => tests(fakeCase(OLD))

describe('kinds that need no red proof', () => {
  it.each(['refactor', 'docs', 'chore'] as const)('asks a %s only to leave the tests as they were', async (kind) => {
    const { verdict } = await judgeWorld(feature({ kind, change: { ...change, 'a.test.js': adds }, measure: quiet }))
    expect(verdict.redProof).toMatchObject({
      status: 'not_needed',
      reason: `A ${kind} needs no test that was red; none of the base's tests was deleted, skipped or weakened.`,
    })
  })

  it('refutes a refactoring that skips a test', async () => {
    const { verdict } = await judgeWorld(
      feature({ kind: 'refactor', change: { ...change, 'a.test.js': adds.replace('it(', 'it.skip(') }, measure: quiet }),
    )
    expect(verdict.redProof).toMatchObject({ status: 'refuted', reason: expect.stringContaining('ran on the base and is skipped now') })
  })

  it("refutes a refactoring whose edited tests hide that the base's fail", async () => {
    const edited = adds.replace('add(1)', 'add(one)')
    const { verdict } = await judgeWorld(
      feature({
        kind: 'refactor',
        change: { 'src/a.js': 'export const double = 2\n', 'a.test.js': edited.replace('one', '1 ') },
        measure: (sight) => tests(fakeCase(OLD, sight.files['a.test.js'] === adds && hasCode(sight) ? 'failed' : 'passed')),
      }),
    )
    expect(verdict.redProof).toMatchObject({
      status: 'refuted',
      reason: "1 test of the base was edited and fails in the base's version with this change.",
    })
  })

  it('does not call broken code tampering where tests were edited besides', async () => {
    const { verdict } = await judgeWorld(
      feature({
        kind: 'refactor',
        change: { 'src/a.js': 'export const double = 2\n', 'a.test.js': `// A word about it.\n${adds}` },
        measure: (sight) => tests(fakeCase(OLD, hasCode(sight) ? 'failed' : 'passed')),
      }),
    )
    expect(verdict.gates.find((it) => it.name === 'integrity')?.findings).toEqual([])
    expect(verdict.gates.find((it) => it.name === 'tests')?.findings).toMatchObject([{ rule: OLD, attribution: 'introduced' }])
  })

  it('asks a test task for tests that can fail', async () => {
    const without = await judgeWorld(feature({ kind: 'test', change: { ...base, 'README.md': 'x' }, measure: quiet }))
    expect(without.verdict.redProof).toMatchObject({
      status: 'refuted',
      reason: 'A test task needs new or changed tests, and there are none.',
    })
    const empty = await judgeWorld(
      feature({ kind: 'test', change: { ...base, 'b.test.js': "it('x', () => { expect(1).toBe(1) })\n" }, measure: quiet }),
    )
    expect(empty.verdict.redProof).toMatchObject({ status: 'refuted', vacuous: ['x'] })
    const real = await judgeWorld(
      feature({ kind: 'test', change: { ...base, 'b.test.js': "it('x', () => { expect(add(2)).toBe(3) })\n" }, measure: quiet }),
    )
    expect(real.verdict.redProof).toMatchObject({ status: 'not_needed', vacuous: [] })
  })

  it('asks a test task for tests that fail where there is no code at all', async () => {
    const added = 'b.test.js > x'
    const judged = (failsThere: boolean) =>
      judgeWorld(
        feature({
          kind: 'test',
          change: { ...base, 'b.test.js': "it('x', () => { expect([1].length).toBe(1) })\n" },
          measure: ({ files }) =>
            tests(
              fakeCase(OLD),
              ...('b.test.js' in files ? [fakeCase(added, failsThere && !('src/a.js' in files) ? 'failed' : 'passed')] : []),
            ),
        }),
      )
    expect((await judged(true)).verdict.redProof.status).toBe('not_needed')
    const { verdict } = await judged(false)
    expect(verdict.redProof).toMatchObject({
      status: 'refuted',
      vacuous: [added],
      reason: 'The new tests pass without any production code, so they test nothing: "b.test.js > x".',
    })
  })
})
