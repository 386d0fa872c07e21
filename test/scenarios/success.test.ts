import { describe, expect } from 'vitest'
import { fingerprint } from '../support/fingerprint.ts'
import { fixtureProject } from '../support/fixture-project.ts'
import { itNeeds } from '../support/needs.ts'
import { processesOfRun } from '../support/processes.ts'
import { reeveFor, textOf } from '../support/reeve.ts'
import { git } from '../support/repository.ts'
import { type Case, CENTS, goodBuild, goodDirect, RANGES, ROMAN, TEMPO, WORDS } from './cases.ts'

const PYTEST = ['python3', '-m', 'pytest', '--version'] as const

async function succeeds(it: Case, workflow: 'direct' | 'build') {
  const project = fixtureProject(it.fixture, {
    replies: workflow === 'direct' ? goodDirect(it) : goodBuild(it),
    config: `[runs]\nworkflow = "${workflow}"\n`,
    coverage: true,
  })
  const before = fingerprint(project)
  const ended = await reeveFor(project).run(it.task)
  const { run, events } = ended

  expect(ended.exitCode, ended.text).toBe(0)
  expect([run.status, run.verdict?.redProof.status], ended.text).toEqual(['succeeded', 'proved'])
  // A tool that this machine lacks, such as coverage.py, is "not run" and makes the verdict a warning.
  expect(
    run.verdict?.gates.filter((gate) => gate.status !== 'passed' && gate.status !== 'not_run'),
    ended.text,
  ).toEqual([])
  expect(run.verdict?.gates.find((gate) => gate.name === 'tests')?.base?.status).toBe('passed')
  expect(events.map((event) => event.seq)).toEqual(events.map((_, at) => at + 1))
  expect(git(project, 'rev-parse', run.branch)).toBe(run.commit)
  expect(git(project, 'diff', '--name-only', run.base, run.branch).split('\n')).toEqual([it.file, it.testFile].toSorted())
  expect(fingerprint(project), 'the checkout of the user').toEqual(before)
  expect(processesOfRun(run.id)).toEqual([])
  return { project, run, events }
}

describe('a task comes back as a branch that programs have proved right', () => {
  itNeeds(['npm', '--version'])('TypeScript with vitest', async () => {
    const { run } = await succeeds(CENTS, 'direct')
    expect(run.verdict?.redProof.red.join('\n')).toContain('groups thousands')
    expect(run.verdict?.gates.map((it) => [it.name, it.status])).toContainEqual(['types', 'passed'])
  })

  itNeeds(PYTEST)('Python with pytest', async () => {
    const { run } = await succeeds(TEMPO, 'direct')
    expect(run.verdict?.redProof.red.join('\n')).toContain('test_reads_days')
  })

  itNeeds('cmake', 'g++')('C++ with CMake and googletest', async () => {
    const { run } = await succeeds(ROMAN, 'direct')
    expect(run.verdict?.redProof.red.join('\n')).toContain('ReadsLowerCase')
    expect(run.verdict?.gates.map((it) => [it.name, it.status])).toContainEqual(['build', 'passed'])
  })

  itNeeds('make', 'cc')('C with a plain Makefile', async () => {
    await succeeds(WORDS, 'direct')
  })

  itNeeds('npm')('JavaScript with node:test, by the whole workflow, after a first attempt that the gates reject', async () => {
    const { run, events, project } = await succeeds(RANGES, 'build')
    expect(run.attempts).toBe(2)
    expect(run.steps.map((it) => it.name)).toEqual(
      expect.arrayContaining(['plan', 'part-1/tests', 'part-1/tests/red', 'part-1/attempt-1/review', 'part-1/attempt-2/gates', 'final']),
    )
    const kept = events.filter((it) => it.type === 'attempt.kept').map((it) => textOf(it.data['ref']))
    expect(kept.length).toBeGreaterThan(0)
    expect(git(project, 'show', `${kept[0]}:src/ranges.js`), 'the rejected attempt is kept').toContain('first <= before[1] + 2)')
  })
})
