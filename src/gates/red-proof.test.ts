import { describe, expect, it } from 'vitest'
import { type Files, fakeCase, fakeCommand, judgeWorld, type Sight, type World } from '../../test/support/judge.ts'
import type { Measurement, TestCase } from './port.ts'

const OLD = 'a.test.js > adds'
const NEW = 'a.test.js > doubles'
const adds = "it('adds', () => { expect(add(1)).toBe(2) })\n"
const doubles = "it('doubles', () => { expect(double(2)).toBe(4) })\n"
const base: Files = { 'src/a.js': 'export const add = (a) => a + 1\n', 'a.test.js': adds }
const change: Files = { 'src/a.js': 'export const add = (a) => a + 1\nexport const double = (a) => a * 2\n', 'a.test.js': adds + doubles }

const tests = (...cases: TestCase[]): Partial<Measurement> => ({ cases })
const hasTests = ({ files }: Sight) => files['a.test.js']?.includes('doubles') ?? false
const hasCode = ({ files }: Sight) => files['src/a.js']?.includes('double') ?? false

/** A runner that knows the new test where it is, and lets it do `without` where the code is not. */
function runner(without: TestCase): World['measure'] {
  return (sight) => {
    if (!hasTests(sight)) return tests(fakeCase(OLD))
    return tests(fakeCase(OLD), hasCode(sight) ? fakeCase(NEW) : without)
  }
}

const feature = (parts: Partial<World> & Pick<World, 'measure'>): World => ({ base, change, kind: 'feature', depth: 'full', ...parts })

const softer: Files = { ...change, 'a.test.js': `${adds.replace('expect(', 'if (false) expect(')}${doubles}` }
const isSofter = ({ files }: Sight) => files['a.test.js']?.includes('if (false)') ?? false
const softened = (parts: Partial<World>, old: (sight: Sight) => TestCase): World =>
  feature({
    change: softer,
    measure: (sight) =>
      tests(old(sight), ...(hasTests(sight) ? [fakeCase(NEW, hasCode(sight) ? 'passed' : 'failed', { failure: 'error' })] : [])),
    ...parts,
  })
const passesOnlyEdited = async (it: World) =>
  (await judgeWorld(it)).verdict.gates
    .flatMap((gate) => gate.findings)
    .filter((one) => one.message.includes('passes only with the edited tests'))
const needsBoth = (sight: Sight) =>
  hasCode(sight)
    ? fakeCase(OLD, isSofter(sight) ? 'passed' : 'failed')
    : fakeCase(OLD, isSofter(sight) ? 'failed' : 'passed', { failure: 'error' })

describe('the red proof', () => {
  const cases: {
    what: string
    world: Partial<World> & Pick<World, 'measure'>
    status: string
    red?: string[]
    vacuous?: string[]
    reason: RegExp
  }[] = [
    {
      what: 'is made by a new test that fails by assertion without the change',
      world: { measure: runner(fakeCase(NEW, 'failed')) },
      status: 'proved',
      red: [NEW],
      reason: /^1 of 1 new or changed test fails without the change and passes with it\.$/,
    },
    {
      what: 'is refuted when the new test passes without the change',
      world: { measure: runner(fakeCase(NEW)) },
      status: 'refuted',
      vacuous: [NEW],
      reason: /pass without the change too, so they prove nothing: "a\.test\.js > doubles"/,
    },
    {
      what: 'counts a missing name that the change brings, and says so',
      world: {
        measure: runner(
          fakeCase(NEW, 'failed', { failure: 'error', message: "SyntaxError: '../src/a.js' does not provide an export named 'double'" }),
        ),
      },
      status: 'proved',
      red: [NEW],
      reason: /red by missing symbol/,
    },
    {
      what: 'counts a test file that cannot be loaded because of a name that the change brings',
      world: {
        measure: (sight) =>
          hasTests(sight) && !hasCode(sight)
            ? tests(
                fakeCase('a.test.js', 'failed', {
                  file: 'a.test.js',
                  failure: 'error',
                  message: "does not provide an export named 'double'",
                }),
              )
            : runner(fakeCase(NEW))(sight),
      },
      status: 'proved',
      red: [NEW],
      reason: /red by missing symbol/,
    },
    {
      what: 'does not count something missing that the change does not bring',
      world: { measure: runner(fakeCase(NEW, 'failed', { failure: 'error', message: "Cannot find module 'left-pad'" })) },
      status: 'not_run',
      reason: /for a reason that the change does not explain/,
    },
    {
      what: 'does not count a broken machine',
      world: { measure: runner(fakeCase(NEW, 'failed', { failure: 'error', message: 'connect ECONNREFUSED 127.0.0.1:5432' })) },
      status: 'not_run',
      reason: /for a reason that the change does not explain/,
    },
    {
      what: 'counts a crash of the code that the change mends',
      world: {
        kind: 'bugfix',
        measure: runner(
          fakeCase(NEW, 'failed', { failure: 'error', message: "TypeError: Cannot read properties of null (reading 'length')" }),
        ),
      },
      status: 'proved',
      red: [NEW],
      reason: /^1 of 1/,
    },
    {
      what: 'does not count a test that loads what is new and asserts nothing',
      world: {
        change: { ...change, 'a.test.js': `${adds}it('doubles', () => { expect(true).toBe(true) })\n` },
        measure: runner(fakeCase(NEW, 'failed', { failure: 'error', message: "does not provide an export named 'double'" })),
      },
      status: 'refuted',
      vacuous: [NEW],
      reason: /prove nothing/,
    },
    {
      what: 'is refuted when there is no new test',
      world: { change: { ...change, 'a.test.js': adds }, measure: () => tests(fakeCase(OLD)) },
      status: 'refuted',
      reason: /^A feature needs new or changed tests, and there are none\.$/,
    },
    {
      what: 'is refuted when nothing was changed',
      world: { change: base, measure: () => tests(fakeCase(OLD)) },
      status: 'refuted',
      reason: /^Nothing was changed\.$/,
    },
    {
      what: 'is refuted when only a helper of the tests was changed',
      world: { change: { ...change, 'a.test.js': adds, 'test/helper.js': 'export const x = 1\n' }, measure: () => tests(fakeCase(OLD)) },
      status: 'refuted',
      reason: /hold no new or changed test that runs/,
    },
    {
      what: 'is refuted when the new test is skipped',
      world: { measure: (sight) => (hasTests(sight) ? tests(fakeCase(OLD), fakeCase(NEW, 'skipped')) : tests(fakeCase(OLD))) },
      status: 'refuted',
      reason: /^No new or changed test passes with the change/,
    },
    {
      what: 'is refuted when a test file only changed its blanks',
      world: { change: { ...change, 'a.test.js': `\n${adds}` }, measure: () => tests(fakeCase(OLD)) },
      status: 'refuted',
      reason: /hold no new or changed test/,
    },
    {
      what: 'is made by a changed test',
      world: {
        kind: 'bugfix',
        change: { 'src/a.js': 'export const double = 1\n', 'a.test.js': adds.replace('toBe(2)', 'toBe(3)') },
        measure: (sight) => tests(fakeCase(OLD, sight.files['a.test.js']?.includes('toBe(3)') && !hasCode(sight) ? 'failed' : 'passed')),
      },
      status: 'proved',
      red: [OLD],
      reason: /^1 of 1/,
    },
    {
      what: 'cannot be made when the tests cannot run without the change',
      world: {
        measure: (sight) =>
          hasTests(sight) && !hasCode(sight) ? { status: 'not_run', problem: 'vitest was not found.' } : runner(fakeCase(NEW))(sight),
      },
      status: 'not_run',
      reason: /could not run without the change: vitest was not found/,
    },
    {
      what: 'cannot be made without a base',
      world: { alone: true, measure: () => tests(fakeCase(OLD)) },
      status: 'not_run',
      reason: /^There is no base/,
    },
    {
      what: 'cannot be made without a tests command',
      world: { commands: () => [fakeCommand('lint')], measure: () => ({}) },
      status: 'not_run',
      reason: /no tests command/,
    },
  ]
  it.each(cases)('$what', async ({ world, status, red, vacuous, reason }) => {
    const { verdict, open } = await judgeWorld(feature(world))
    expect(verdict.redProof.reason).toMatch(reason)
    expect(verdict.redProof).toMatchObject({ status, red: red ?? [], vacuous: vacuous ?? [] })
    expect(verdict.status === 'failed').toBe(status === 'refuted')
    expect(open).toBe(0)
  })

  it('names the vacuous tests beside those that prove something, as a warning', async () => {
    const third = 'a.test.js > is there'
    const { verdict } = await judgeWorld(
      feature({
        change: { ...change, 'a.test.js': `${adds + doubles}it('is there', () => { expect(add(3)).toBe(4) })\n` },
        measure: (sight) =>
          hasTests(sight)
            ? tests(fakeCase(OLD), fakeCase(NEW, hasCode(sight) ? 'passed' : 'failed'), fakeCase(third))
            : tests(fakeCase(OLD)),
      }),
    )
    expect(verdict.redProof).toMatchObject({ status: 'proved', red: [NEW], vacuous: [third] })
    expect(verdict.redProof.reason).toBe(
      '1 of 2 new or changed tests fails without the change and passes with it. 1 passes without it too and prove nothing.',
    )
    expect(verdict.status).toBe('warning')
    expect(verdict.gates.flatMap((it) => it.findings).map((it) => it.rule)).toEqual(['reeve/test-vacuous'])
  })

  it('takes helpers and fixtures along, and runs only the test files', async () => {
    const seen: Sight[] = []
    await judgeWorld(
      feature({
        change: { ...change, 'test/helper.js': 'help', 'test/fixtures/data.json': '{}', 'vitest.config.js': 'export default {}' },
        measure: (sight) => {
          if (hasTests(sight) && !hasCode(sight)) seen.push(sight)
          return runner(fakeCase(NEW, 'failed'))(sight)
        },
      }),
    )
    expect(seen).toHaveLength(1)
    expect(Object.keys(seen[0]?.files ?? {}).toSorted()).toEqual([
      'a.test.js',
      'src/a.js',
      'test/fixtures/data.json',
      'test/helper.js',
      'vitest.config.js',
    ])
    expect(seen[0]?.onlyTests).toEqual(['a.test.js'])
  })

  describe('old tests that pass only as they were edited', () => {
    it.each<{ what: string; parts: Partial<World>; soft: (sight: Sight) => boolean }>([
      { what: 'the test itself', parts: {}, soft: isSofter },
      {
        what: 'a mock in its file',
        parts: { change: { ...change, 'a.test.js': `mock('src/a.js')\n${adds}${doubles}` } },
        soft: ({ files }) => files['a.test.js']?.includes('mock(') ?? false,
      },
      {
        what: 'a helper',
        parts: { base: { ...base, 'test/helper.js': 'strict' }, change: { ...change, 'test/helper.js': 'lenient' } },
        soft: ({ files }) => files['test/helper.js'] === 'lenient',
      },
      {
        what: 'a new test file in the same process',
        parts: { change: { ...change, 'a.test.js': adds, '0.test.js': `${doubles}assert.equal = () => {}` } },
        soft: ({ files }) => files['0.test.js'] !== undefined,
      },
      {
        what: 'new configuration',
        parts: { change: { ...change, 'vitest.config.js': "export default { test: { setupFiles: ['./soft.js'] } }" } },
        soft: ({ files }) => files['vitest.config.js'] !== undefined,
      },
    ])('are found, where it is $what', async ({ parts, soft }) => {
      const found = await passesOnlyEdited(softened(parts, (sight) => fakeCase(OLD, hasCode(sight) && !soft(sight) ? 'failed' : 'passed')))
      expect(found).toMatchObject([{ rule: 'reeve/test-weakened', severity: 'error', attribution: 'tampered' }])
      expect(found[0]?.message).toContain(`"${OLD}"`)
    })

    it('are not found, where a changed expectation fails without the change', async () => {
      expect(
        await passesOnlyEdited(softened({}, (sight) => fakeCase(OLD, hasCode(sight) === isSofter(sight) ? 'passed' : 'failed'))),
      ).toEqual([])
    })

    it('are a warning, where they cannot run without the change', async () => {
      expect(await passesOnlyEdited(softened({}, needsBoth))).toMatchObject([{ severity: 'warning' }])
    })

    it('are not found, where they come and go', async () => {
      let runs = 0
      const old = (sight: Sight) => fakeCase(OLD, hasCode(sight) && !isSofter(sight) && runs++ === 0 ? 'failed' : 'passed')
      expect(await passesOnlyEdited(softened({}, old))).toEqual([])
      expect(runs).toBe(2)
    })
  })

  it('is asked for only when all gates run', async () => {
    const { verdict, ran } = await judgeWorld(feature({ depth: 'quick', measure: runner(fakeCase(NEW)) }))
    expect(verdict.redProof.status).toBe('not_needed')
    expect(ran).toEqual(['tests in workspace', 'tests in scratch'])
  })
})

const commands = () => [fakeCommand('tests', { tool: 'make', report: { format: 'exit-code', path: null } })]

const red = { status: 'failed', exitCode: 1 } as const
/** Green where both or neither of the code and its new test file are there. */
const greenTogether = (sight: Sight) => (hasCode(sight) === (sight.files['b.test.js'] !== undefined) ? {} : red)

describe('the red proof by exit code', () => {
  const cases: { what: string; measure: World['measure']; status: string; reason: RegExp }[] = [
    {
      what: 'is made when the command turns from red to green',
      measure: (sight) => (hasTests(sight) && !hasCode(sight) ? red : {}),
      status: 'proved',
      reason: /the exit code counts/,
    },
    {
      what: 'is refuted when it is green without the change',
      measure: () => ({}),
      status: 'refuted',
      reason: /pass without the change too/,
    },
    {
      what: 'tells nothing when it is red on the base already',
      measure: (sight) => (hasCode(sight) ? {} : red),
      status: 'not_run',
      reason: /fail on the base already/,
    },
  ]
  it.each(cases)('$what', async ({ measure, status, reason }) => {
    const { verdict } = await judgeWorld(feature({ commands, measure }))
    expect(verdict.redProof).toMatchObject({ status, reason: expect.stringMatching(reason) })
  })

  it('finds that the base has tests which fail, where the change brings what hides it, and nothing of theirs was edited', async () => {
    const brings = { ...change, 'a.test.js': adds, 'b.test.js': doubles }
    const { verdict } = await judgeWorld(feature({ commands, change: brings, measure: greenTogether }))
    expect(verdict.status).toBe('failed')
    expect(verdict.summary).toContain('The tests of the base fail with this change')
    const edited = await judgeWorld(feature({ commands, change: { ...brings, 'a.test.js': `${adds}// more` }, measure: greenTogether }))
    expect(edited.verdict.summary, 'an expectation may have changed').not.toContain('The tests of the base fail')
  })

  it('counts a build that breaks for a name that the change brings', async () => {
    const { verdict } = await judgeWorld(
      feature({
        commands: () => [fakeCommand('build', { tool: 'make' }), ...commands()],
        measure: (sight) =>
          sight.gate === 'build' && hasTests(sight) && !hasCode(sight)
            ? { ...red, outputTail: "error: 'double' was not declared in this scope" }
            : {},
      }),
    )
    expect(verdict.redProof).toMatchObject({ status: 'proved', reason: expect.stringContaining('red by missing symbol') })
  })
})
