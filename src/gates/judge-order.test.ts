import { describe, expect, it } from 'vitest'
import { code, fakeCase, fakeCommand, gate, judgeWorld, remark, tests } from '../../test/support/judge.ts'

const A = 'a.test.js > adds'
const all = () => ['coverage', 'format', 'acceptance-1', 'tests', 'lint', 'types', 'build'].map((it) => fakeCommand(it))

describe('the order of gates', () => {
  it("runs build, types, lint, tests, the task's commands and others", async () => {
    const judged = await judgeWorld(code(() => ({}), { commands: all }))
    expect(judged.ran).toEqual(['build', 'types', 'lint', 'tests', 'acceptance-1', 'format'].map((it) => `${it} in workspace`))
  })

  it('judges nothing that an earlier build left behind when the build fails', async () => {
    const judged = await judgeWorld(
      code(({ gate: name, inWorkspace }) => (name === 'build' && inWorkspace ? { findings: [remark({})], status: 'failed' } : {}), {
        commands: () => [fakeCommand('build', { tool: 'cmake' }), fakeCommand('tests', { tool: 'ctest' }), fakeCommand('lint')],
      }),
    )
    expect(gate(judged, 'tests')).toMatchObject({ status: 'not_run', reason: 'The build failed, and this needs what it makes.' })
    expect(gate(judged, 'lint').status).toBe('passed')
    expect(judged.verdict.status).toBe('failed')
  })

  it('runs tests that need no build when the build fails', async () => {
    const judged = await judgeWorld(
      code(
        ({ gate: name, inWorkspace }) =>
          name === 'build' && inWorkspace ? { findings: [remark({})], status: 'failed' } : tests(fakeCase(A)),
        {
          commands: () => [fakeCommand('build'), fakeCommand('tests')],
        },
      ),
    )
    expect(gate(judged, 'tests').status).toBe('passed')
  })

  it('lists the gates that a project does not have, and holds that against nobody', async () => {
    const judged = await judgeWorld(code(() => tests(fakeCase(A))))
    expect(gate(judged, 'lint')).toMatchObject({ status: 'not_run', command: null })
    expect(judged.verdict).toMatchObject({ status: 'passed', score: 1, summary: '2 gates passed.' })
  })

  it('says that nothing is known when there is no gate at all', async () => {
    const judged = await judgeWorld(code(() => ({}), { commands: () => [], alone: true }))
    expect(judged.verdict).toMatchObject({ status: 'not_run', score: 0, summary: 'No gate could be run, so nothing is known.' })
  })

  it('is not green when the tests could not run', async () => {
    const judged = await judgeWorld(
      code(({ gate: name }) => (name === 'tests' ? { status: 'not_run', problem: 'pytest was not found.' } : {}), {
        commands: () => [fakeCommand('lint'), fakeCommand('tests')],
      }),
    )
    expect(judged.verdict.status).toBe('not_run')
    expect(judged.verdict.summary).toContain('tests could not run: pytest was not found')
  })

  it('stops with the reason of the abort, and leaves no scratch behind', async () => {
    const stop = new AbortController()
    const ended = judgeWorld(
      code(
        () => {
          stop.abort(new Error('stopped by Ada'))
          return {}
        },
        { signal: stop.signal },
      ),
    )
    await expect(ended).rejects.toThrow('stopped by Ada')
  })

  it('tells what it does as it goes', async () => {
    const judged = await judgeWorld(code(({ inWorkspace }) => tests(fakeCase(A, inWorkspace ? 'failed' : 'passed'))))
    expect(judged.events[0]).toEqual({ type: 'gate.started', gate: 'tests', command: 'run tests', where: 'change' })
    expect(judged.events.at(-1)).toMatchObject({
      type: 'gate.finished',
      gate: 'tests',
      status: 'failed',
      introduced: 1,
      total: 1,
      where: 'change',
    })
  })
})
