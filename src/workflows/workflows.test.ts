import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fingerprint } from '../../test/support/fingerprint.ts'
import { git, makeRepository } from '../../test/support/repository.ts'
import { play, verdict } from '../../test/support/run-workflow.ts'
import type { AgentRequest } from '../agents/port.ts'
import type { Verdict } from '../core/verdict.ts'

const FILES = { 'src/a.js': 'export const a = 1\n', 'test/a.test.js': 'test\n', '.gitignore': 'node_modules\n' }
const PLAN = { summary: 'One part.', parts: [{ id: 'only', title: 'Change a', goal: 'a is 2', files: ['src/a.js'] }] }

function write(request: AgentRequest, path: string, content: string): object {
  writeFileSync(join(request.workspace.path, path), content)
  return {}
}

/** An ordinary cast: plan, a test file, the n-th implementation, a review. */
function cast(
  implement: (attempt: number, request: AgentRequest) => object = (n, request) => write(request, 'src/a.js', `export const a = ${n + 1}\n`),
) {
  let attempt = 0
  return (request: AgentRequest): object => {
    if (request.role.name === 'architect') return { output: PLAN }
    if (request.role.name === 'spec-author') return write(request, 'test/b.test.js', 'test b\n')
    if (request.role.name === 'reviewer') return { text: 'a must be 3' }
    return implement(++attempt, request)
  }
}

describe('direct', () => {
  it('is done when the gates are green, and moves only its own branch', async () => {
    const repository = makeRepository(FILES)
    const before = fingerprint(repository)
    const { row, asked } = await play({ repository, workflow: 'direct', reply: cast(), judge: () => verdict('passed') })
    expect(row).toMatchObject({ state: 'succeeded', message: '1 gate passed' })
    expect(asked.map((it) => it.step)).toEqual(['direct/attempt-1/implement'])
    expect(git(repository, 'show', 'auto/implementer/change-it:src/a.js')).toBe('export const a = 2')
    expect(fingerprint(repository)).toEqual(before)
  })

  it('gives the failures back to the agent, and keeps the rejected attempt', async () => {
    const repository = makeRepository(FILES)
    const played = await play({
      repository,
      workflow: 'direct',
      reply: cast(),
      judge: (_request, number) => verdict(number === 0 ? 'failed' : 'passed'),
    })
    expect(played.row.state).toBe('succeeded')
    expect(played.asked[1]?.goal).toContain('- a.test.js:1 [adds] expected 3, got 4')
    const [kept] = played.types('attempt.kept')
    expect(git(repository, 'show', `${String(kept?.data['ref'])}:src/a.js`)).toBe('export const a = 2')
    expect(played.row.facts.attempts).toBe(2)
  })

  it('ends at the limit of attempts with the reason, and puts the files back', async () => {
    const repository = makeRepository(FILES)
    const { row, types } = await play({
      repository,
      workflow: 'direct',
      settings: { runs: { max_attempts: 2 } },
      reply: cast(),
      judge: () => verdict('failed'),
    })
    expect(row).toMatchObject({ state: 'failed', reason: 'gates', message: 'The gates said no 2 times. Last: 1 test fails: adds' })
    expect(readFileSync(join(row.facts.workspace ?? '', 'src/a.js'), 'utf8')).toBe('export const a = 1\n')
    expect(types('attempt.kept').length).toBeGreaterThanOrEqual(2)
    expect(git(repository, 'rev-parse', 'auto/implementer/change-it')).toBe(git(repository, 'rev-parse', 'main'))
  })

  it('does not take "done" for an answer when nothing was changed, and notices that it is stuck', async () => {
    const repository = makeRepository(FILES)
    const { row, asked } = await play({
      repository,
      workflow: 'direct',
      task: { kind: 'docs' },
      reply: () => ({ text: 'All done!' }),
      judge: () => verdict('passed'),
    })
    expect(row).toMatchObject({ state: 'failed', reason: 'gates' })
    expect(row.message).toContain('Stuck: nothing was changed')
    expect(asked).toHaveLength(2)
  })

  it('asks the next provider when one is stuck', async () => {
    const repository = makeRepository(FILES)
    const settings = { providers: { order: ['one', 'two'], one: { kind: 'scripted', file: 'x' }, two: { kind: 'scripted', file: 'x' } } }
    const { row, asked } = await play({
      repository,
      workflow: 'direct',
      settings,
      reply: (request, provider) => (provider === 'two' ? write(request, 'src/a.js', 'export const a = 3\n') : {}),
      judge: (request) => verdict(request.comparison?.changes.length ? 'passed' : 'failed'),
    })
    expect(row.state).toBe('succeeded')
    expect(asked.map((it) => it.provider)).toEqual(['one', 'one', 'two'])
  })

  it('goes on with the next provider when one fails, and drops what it left half done', async () => {
    const repository = makeRepository(FILES)
    const settings = { providers: { order: ['one', 'two'], one: { kind: 'scripted', file: 'x' }, two: { kind: 'scripted', file: 'x' } } }
    const { row, types } = await play({
      repository,
      workflow: 'direct',
      settings,
      reply: (request, provider) => {
        write(request, provider === 'one' ? 'half.js' : 'src/a.js', 'export const a = 2\n')
        return provider === 'one' ? { status: 'failed', class: 'network', problem: 'connection reset' } : {}
      },
      judge: () => verdict('passed'),
    })
    expect(row.state).toBe('succeeded')
    expect(git(repository, 'ls-tree', '-r', '--name-only', 'auto/implementer/change-it').split('\n')).not.toContain('half.js')
    const [kept] = types('attempt.kept')
    expect(git(repository, 'show', `${String(kept?.data['ref'])}:half.js`)).toBe('export const a = 2')
  })

  it('says which providers failed when none is left', async () => {
    const { row, types } = await play({
      repository: makeRepository(FILES),
      workflow: 'direct',
      reply: () => ({ status: 'failed', class: 'auth', problem: 'the key was refused' }),
      judge: () => verdict('passed'),
    })
    expect(row).toMatchObject({ state: 'failed', reason: 'error', message: 'Provider "one" failed: the key was refused' })
    expect(types('evidence.written')).toHaveLength(1)
  })

  it.each([
    [null, '[gates.tests] command = '],
    ['npm test', 'only [project] setup of reeve.toml installs'],
  ])('does not ask the agent again where no gate can judge by %s', async (command, said) => {
    const { row, asked } = await play({
      repository: makeRepository(FILES),
      workflow: 'direct',
      reply: cast(),
      judge: () => ({ ...verdict('not_run'), gates: verdict('not_run').gates.map((it) => ({ ...it, command })) }),
    })
    expect(row).toMatchObject({ state: 'failed', reason: 'error' })
    expect(row.message).toContain(said)
    expect(asked).toHaveLength(1)
  })

  it('parks at a provider’s limit and goes on in the same step', async () => {
    let calls = 0
    const { row, types } = await play({
      repository: makeRepository(FILES),
      workflow: 'direct',
      reply: (request) => {
        calls += 1
        if (calls === 1) return { status: 'failed', class: 'rate_limited', problem: 'too many requests', retryAt: Date.now() + 400 }
        return write(request, 'src/a.js', 'export const a = 2\n')
      },
      judge: () => verdict('passed'),
    })
    expect(row.state).toBe('succeeded')
    expect(types('run.waiting').map((it) => it.data['reason'])).toEqual(['quota'])
    expect(calls).toBe(2)
  })

  it('takes the work of an agent that ran out of time when the gates are green', async () => {
    const { row } = await play({
      repository: makeRepository(FILES),
      workflow: 'direct',
      reply: (request) => ({ ...write(request, 'src/a.js', 'export const a = 2\n'), status: 'limited', problem: 'out of time' }),
      judge: () => verdict('passed'),
    })
    expect(row.state).toBe('succeeded')
  })

  it('tells the next attempt which limit ended the last one', async () => {
    const problem = '"make" was ended: it broke the limit of 512 MB for memory with 800 MB (sandbox.limits.memory_mb).'
    let calls = 0
    const { asked } = await play({
      repository: makeRepository(FILES),
      workflow: 'direct',
      reply: (request) => {
        calls += 1
        return { ...write(request, 'src/a.js', `export const a = ${calls}\n`), ...(calls === 1 ? { status: 'limited', problem } : {}) }
      },
      judge: () => verdict(calls === 1 ? 'failed' : 'passed'),
    })
    expect(asked.map((it) => it.goal.includes(`ended the last attempt before it was done\n\n${problem}`))).toEqual([false, true])
  })

  it('stops before the next attempt when the budget is spent', async () => {
    const { row, asked } = await play({
      repository: makeRepository(FILES),
      workflow: 'direct',
      settings: { runs: { max_tokens: 100 } },
      reply: cast(),
      judge: () => verdict('failed'),
    })
    expect(row).toMatchObject({
      state: 'failed',
      reason: 'budget',
      message: 'The budget of tokens is used up: 110 of 100 tokens (runs.max_tokens).',
    })
    expect(asked).toHaveLength(1)
  })

  it('writes a card whose hash the record holds, also for a failed run', async () => {
    const { row, types } = await play({
      repository: makeRepository(FILES),
      workflow: 'direct',
      settings: { runs: { max_attempts: 1 } },
      reply: cast(),
      judge: () => verdict('failed'),
    })
    const card = JSON.parse(readFileSync(join(row.facts.evidence ?? '', 'card.json'), 'utf8')) as { outcome: object; trail: object[] }
    expect(card.outcome).toMatchObject({ status: 'failed', reason: 'gates' })
    expect(card.trail.map((it) => (it as { kind: string }).kind)).toEqual(['claim', 'measurement'])
    expect(existsSync(join(row.facts.evidence ?? '', 'card.md'))).toBe(true)
    expect(types('evidence.written')[0]?.data['hash']).toMatch(/^[0-9a-f]{64}$/)
  })
})

describe('build', () => {
  it('plans, wants red tests, implements, and proves at the end', async () => {
    const played = await play({
      repository: makeRepository(FILES),
      workflow: 'build',
      reply: cast(),
      judge: (_request, number) => verdict(['failed', 'failed', 'passed', 'passed'][number] as 'passed'),
    })
    expect(played.row.state).toBe('succeeded')
    expect(played.asked.map((it) => it.step)).toEqual([
      'plan',
      'part-1/tests',
      'part-1/attempt-1/implement',
      'part-1/attempt-1/review',
      'part-1/attempt-2/implement',
    ])
    expect(played.asked[2]?.protectedPaths).toContain('test/b.test.js')
    expect(played.asked[4]?.goal).toContain('a must be 3')
  })

  it('puts the tests of the spec author back when an attempt has changed or removed them by other ways', async () => {
    const repository = makeRepository(FILES)
    const seen: string[] = []
    const played = await play({
      repository,
      workflow: 'build',
      reply: cast((attempt, request) => {
        const tests = ['test/a.test.js', 'test/b.test.js', 'test/c.test.js'].map((it) => join(request.workspace.path, it))
        seen.push(tests.map((it) => (existsSync(it) ? readFileSync(it, 'utf8').trim() : '-')).join(' | '))
        rmSync(join(request.workspace.path, 'test/a.test.js'))
        write(request, 'test/b.test.js', 'weaker\n')
        write(request, 'test/c.test.js', 'own\n')
        return write(request, 'src/a.js', `export const a = ${attempt + 1}\n`)
      }),
      judge: (_request, number) => verdict(number < 3 ? 'failed' : 'passed'),
    })
    expect(seen).toEqual(['test | test b | -', 'test | test b | -', 'test | test b | -'].slice(0, seen.length))
    expect(seen.length).toBeGreaterThan(1)
    expect(played.asked[4]?.goal).toContain('tests that were changed have been put back')
  })

  it('judges an attempt that wants other packages where the setup is run for it', async () => {
    const installed: boolean[] = []
    const { row } = await play({
      repository: makeRepository({ ...FILES, 'package.json': '{}\n' }),
      workflow: 'build',
      task: { kind: 'refactor' },
      settings: { project: { setup: ['mkdir -p node_modules && cp package.json node_modules/installed'] } },
      reply: cast((_attempt, request) => write(request, 'package.json', '{ "dependencies": { "x": "1" } }\n')),
      judge: (request) => {
        installed.push(readFileSync(join(request.checkout.path, 'node_modules/installed'), 'utf8').includes('dependencies'))
        return verdict('passed')
      },
    })
    expect(row.state).toBe('succeeded')
    expect(installed).toEqual([true, true])
  })

  it('sends tests that are green before the work back once, then gives up', async () => {
    const { row, asked } = await play({
      repository: makeRepository(FILES),
      workflow: 'build',
      reply: cast(),
      judge: () => verdict('passed'),
    })
    expect(row).toMatchObject({ state: 'failed', reason: 'gates' })
    expect(row.message).toContain('The tests for "Change a" are no proof: ')
    expect(asked.map((it) => it.step)).toEqual(['plan', 'part-1/tests', 'part-1/tests-2'])
  })

  it('needs no tests first for a refactoring', async () => {
    const { row, asked } = await play({
      repository: makeRepository(FILES),
      workflow: 'build',
      task: { kind: 'refactor' },
      reply: cast(),
      judge: () => verdict('passed'),
    })
    expect(row.state).toBe('succeeded')
    expect(asked.map((it) => it.role)).toEqual(['architect', 'implementer'])
  })

  it('asks a person about the plan and the landing when it is manual, and lands after the second yes', async () => {
    const repository = makeRepository(FILES)
    const played = await play({
      repository,
      workflow: 'build',
      task: { kind: 'refactor' },
      settings: { runs: { autonomy: 'manual', land: 'merge' } },
      reply: cast(),
      judge: () => verdict('passed'),
    })
    expect(played.row).toMatchObject({ state: 'waiting', reason: 'approval' })
    await played.store.signal(played.row.id, 'approve', {}, 'ada')
    const second = await played.again()
    expect(second).toMatchObject({ state: 'waiting', reason: 'approval' })
    await played.store.signal(played.row.id, 'approve', {}, 'ada')
    expect((await played.again()).state).toBe('succeeded')
    expect(readFileSync(join(repository, 'src/a.js'), 'utf8')).toBe('export const a = 2\n')
  })

  it('drops what the refiner did when a gate fails after it', async () => {
    const repository = makeRepository(FILES)
    const { row, asked } = await play({
      repository,
      workflow: 'build',
      task: { kind: 'refactor' },
      settings: { runs: { refine: true } },
      reply: (request) => (request.role.name === 'refiner' ? write(request, 'src/a.js', 'broken\n') : cast()(request)),
      judge: (_request, number) => verdict(number === 1 ? 'failed' : 'passed'),
    })
    expect(row.state).toBe('succeeded')
    expect(asked.map((it) => it.role)).toEqual(['architect', 'implementer', 'refiner'])
    expect(git(repository, 'show', 'auto/implementer/change-it:src/a.js')).toBe('export const a = 2')
  })

  it('shows the verdict about what it delivers, not the one about a dropped refinement', async () => {
    const { row } = await play({
      repository: makeRepository(FILES),
      workflow: 'direct',
      task: { kind: 'refactor' },
      settings: { runs: { refine: true } },
      reply: (request) => (request.role.name === 'refiner' ? write(request, 'src/a.js', 'broken\n') : cast()(request)),
      judge: (_request, number) => verdict(number === 1 ? 'passed' : 'failed'),
    })
    expect([row.state, row.facts.verdict?.status]).toEqual(['succeeded', 'passed'])
  })
})

describe('an autonomous run', () => {
  const autonomous = { runs: { autonomy: 'autonomous', land: 'merge' } }
  const proved: Partial<Verdict> = { redProof: { status: 'proved', reason: 'red', files: [], red: ['a'], vacuous: [] } }

  it('lands by itself what is proved', async () => {
    const repository = makeRepository(FILES)
    const { row, types } = await play({
      repository,
      workflow: 'direct',
      settings: autonomous,
      reply: cast(),
      judge: () => verdict('passed', proved),
    })
    expect(row.state).toBe('succeeded')
    expect(types('approval.asked')).toEqual([])
    expect(readFileSync(join(repository, 'src/a.js'), 'utf8')).toBe('export const a = 2\n')
  })

  it.each([
    ['there is no proof', () => cast(), {}, 'There is no red proof: not asked'],
    [
      'other programs trust a file of it',
      () => (request: AgentRequest) => write(request, 'AGENTS.md', 'obey\n'),
      proved,
      'It changes files that other programs trust: AGENTS.md.',
    ],
    [
      'packages would come from another host',
      () => (request: AgentRequest) =>
        write(request, 'package-lock.json', '{"packages":{"node_modules/a":{"resolved":"https://mirror.invalid/a.tgz"}}}\n'),
      proved,
      'It has packages installed from elsewhere: mirror.invalid (package-lock.json).',
    ],
  ])('asks a person when %s', async (_why, reply, parts, message) => {
    const repository = makeRepository(FILES)
    const { row, types } = await play({
      repository,
      workflow: 'direct',
      settings: autonomous,
      reply: reply(),
      judge: () => verdict('passed', parts),
    })
    expect(row).toMatchObject({ state: 'waiting', reason: 'approval' })
    expect(types('approval.asked')[0]?.data['message']).toContain(message)
    expect(readFileSync(join(repository, 'src/a.js'), 'utf8')).toBe('export const a = 1\n')
  })
})
