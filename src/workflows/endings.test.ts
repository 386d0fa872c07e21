import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { git, makeRepository } from '../../test/support/repository.ts'
import { type Played, play, verdict } from '../../test/support/run-workflow.ts'
import type { AgentRequest } from '../agents/port.ts'
import type { JudgeRequest } from '../gates/port.ts'
import type { Card } from '../steps/card.ts'
import { verifyRun } from '../steps/verify.ts'

const FILES = { 'src/a.js': 'export const a = 1\n', 'test/a.test.js': 'test\n', '.gitignore': 'node_modules\n' }
const PLAN = { summary: 'One part.', parts: [{ id: 'only', title: 'Change a', goal: 'a is 2', files: ['src/a.js'] }] }
const two = (runs: object = {}) => ({
  runs,
  providers: { order: ['one', 'two'], one: { kind: 'scripted', file: 'x' }, two: { kind: 'scripted', file: 'x' } },
})

function write(request: AgentRequest, path: string, content: string): object {
  writeFileSync(join(request.workspace.path, path), content)
  return {}
}

const change = (request: AgentRequest, n = 2): object => write(request, 'src/a.js', `export const a = ${n}\n`)

function card({ row }: Pick<Played, 'row'>): Card {
  return JSON.parse(readFileSync(join(row.facts.evidence ?? '', 'card.json'), 'utf8')) as Card
}

describe('a budget', () => {
  it('counts what a step used that had to wait and began again', async () => {
    const left: (number | null)[] = []
    const played = await play({
      repository: makeRepository(FILES),
      workflow: 'direct',
      settings: { runs: { max_tokens: 1000 } },
      reply: (request) => {
        left.push(request.limits.tokens)
        if (left.length > 1) return change(request)
        return { status: 'failed', class: 'quota', problem: 'too many', retryAt: Date.now() + 100 }
      },
      judge: () => verdict('passed'),
    })
    expect(left).toEqual([1000, 890])
    expect(card(played).usage.requests, 'the card counts both tries').toBe(2)
  })

  it('counts what an agent used that was stopped in the middle', async () => {
    const { row, store } = await play({
      repository: makeRepository(FILES),
      workflow: 'direct',
      reply: (request) => change(request),
      afterAgent: async (store, run, signal) => {
        await store.cancel(run, 'ada')
        await new Promise((resolve) => {
          signal.addEventListener('abort', resolve)
        })
      },
      judge: () => verdict('passed'),
    })
    expect(row.state).toBe('cancelled')
    // Its process says what was spent after the run has ended.
    await expect.poll(() => store.spend(row.id), { timeout: 20_000 }).toMatchObject({ usage: { requests: 1 }, cost: 0.01 })
  })

  it('of money is not forgotten because a model without a price worked too', async () => {
    const left: (number | null)[] = []
    const dear = { kind: 'anthropic', model: 'of-unknown-price' }
    const { row } = await play({
      repository: makeRepository(FILES),
      workflow: 'direct',
      settings: { runs: { max_usd: 1, max_step_usd: 0.5 }, providers: { order: ['dear'], dear } },
      reply: (request) => {
        left.push(request.limits.usd)
        return { ...change(request, left.length + 1), cost: left.length === 1 ? 0.25 : null }
      },
      judge: () => verdict('failed'),
    })
    expect(left, 'the second counts as what was reserved for it').toEqual([0.5, 0.5, 0.25])
    expect(row.reason).toBe('gates')
  })
})

describe('the card', () => {
  it('of a run that gave up lists the files of the commit that was judged', async () => {
    const played = await play({
      repository: makeRepository(FILES),
      workflow: 'direct',
      settings: { runs: { max_attempts: 1 } },
      reply: (request) => change(request),
      judge: () => verdict('failed'),
    })
    expect(card(played).files).toEqual([{ path: 'src/a.js', status: 'modified', added: 1, removed: 1 }])
  })

  it('of a refused landing says so', async () => {
    const played = await play({
      repository: makeRepository(FILES),
      workflow: 'direct',
      settings: { runs: { autonomy: 'supervised' } },
      reply: (request) => change(request),
      judge: () => verdict('passed'),
    })
    expect(card(played).outcome.status, 'what the person is asked about is green').toBe('succeeded')
    await played.store.signal(played.row.id, 'reject', { comment: 'not now' }, 'ada')
    const row = await played.again()
    expect(row).toMatchObject({ state: 'failed', reason: 'gates', message: 'Landing was refused by ada: not now.' })
    expect(card({ row }).outcome).toEqual({ status: 'failed', reason: 'gates', message: 'Landing was refused by ada: not now.' })
  })

  it('has what is needed to judge again in the same way', async () => {
    const requests: JudgeRequest[] = []
    const played = await play({
      repository: makeRepository(FILES),
      workflow: 'build',
      settings: { runs: { max_attempts: 1 } },
      reply: (request) => {
        if (request.role.name === 'architect') return { output: PLAN }
        return request.role.name === 'spec-author' ? write(request, 'test/b.test.js', 'test b\n') : change(request)
      },
      judge: async (request) => {
        requests.push(request)
        return verdict('failed', { tree: request.tree })
      },
    })
    expect(played.row).toMatchObject({ state: 'failed', reason: 'gates' })
    const { match, differences } = await verifyRun(played.kit, {
      row: played.row,
      recordedHash: String(played.types('evidence.written').at(-1)?.data['hash']),
      signal: AbortSignal.timeout(30_000),
      emit: () => undefined,
    })
    expect([match, differences]).toEqual([true, []])
    expect(requests.map((it) => [it.depth, it.protectedFiles])).toEqual([
      ['quick', []],
      ['quick', ['test/b.test.js']],
      ['quick', ['test/b.test.js']],
    ])
    expect(await requests.at(-1)?.protectedContent('test/b.test.js').catch(String), 'the clone is gone').toContain('git')
  })
})

describe('stuck', () => {
  const idle = { reply: () => ({ text: 'done' }), judge: () => verdict('failed') }

  it('at the last attempt nobody is asked for another one', async () => {
    const { row, types } = await play({
      repository: makeRepository(FILES),
      workflow: 'direct',
      settings: { runs: { autonomy: 'supervised', max_attempts: 2 } },
      ...idle,
    })
    expect(row).toMatchObject({ state: 'failed', reason: 'gates' })
    expect(row.message).toContain('The gates said no 2 times')
    expect(types('approval.asked')).toEqual([])
  })

  it('goes on with a provider that is configured without an order', async () => {
    const { providers } = two()
    const { asked } = await play({
      repository: makeRepository(FILES),
      workflow: 'direct',
      settings: { providers: { one: providers.one, two: providers.two } },
      ...idle,
    })
    expect(asked.map((it) => it.provider)).toEqual(['one', 'one', 'two'])
  })
})

describe('a refinement', () => {
  const refined = { workflow: 'direct', task: { kind: 'refactor' }, settings: { runs: { refine: true } } } as const

  it('that no provider can make does not cost a green run its end', async () => {
    const { row } = await play({
      repository: makeRepository(FILES),
      ...refined,
      reply: (request) =>
        request.role.name === 'refiner' ? { status: 'failed', class: 'auth', problem: 'the key was refused' } : change(request),
      judge: () => verdict('passed'),
    })
    expect(row.state).toBe('succeeded')
  })

  it('that was dropped is not the commit of the run any more, whatever comes after', async () => {
    const repository = makeRepository(FILES)
    let broken = false
    const { row } = await play({
      repository,
      ...refined,
      workflow: 'build',
      reply: (request) => {
        if (request.role.name === 'architect') return { output: PLAN }
        if (request.role.name === 'refiner') return write(request, 'src/a.js', 'refined\n')
        if (broken) return { status: 'failed', class: 'auth', problem: 'the key was refused' }
        broken = true
        return change(request)
      },
      judge: (_request, number) => verdict(number === 0 ? 'passed' : 'failed'),
    })
    expect(row).toMatchObject({ state: 'failed', reason: 'error' })
    expect(git(repository, 'show', `${row.facts.commit}:src/a.js`)).toBe('export const a = 2')
  })
})

describe('landing by itself', () => {
  it('asks when something of the user is in the way, and lands when it is gone', async () => {
    const repository = makeRepository(FILES)
    writeFileSync(join(repository, 'src/a.js'), '// my work\n')
    const proved = { status: 'proved' as const, reason: 'red', files: [], red: ['a'], vacuous: [] }
    const played = await play({
      repository,
      workflow: 'direct',
      settings: { runs: { autonomy: 'autonomous', land: 'merge' } },
      reply: (request) => change(request),
      judge: () => verdict('passed', { redProof: proved }),
    })
    expect(played.row).toMatchObject({ state: 'waiting', reason: 'approval' })
    expect(played.row.message).toContain('could not be landed')
    expect(played.row.message).toContain('src/a.js')
    expect(readFileSync(join(repository, 'src/a.js'), 'utf8')).toBe('// my work\n')

    git(repository, 'checkout', '--', 'src/a.js')
    await played.store.signal(played.row.id, 'approve', {}, 'ada')
    const row = await played.again()
    expect(row.state).toBe('succeeded')
    expect(row.facts.landed).toMatchObject({ branch: 'main', forced: false })
    expect(readFileSync(join(repository, 'src/a.js'), 'utf8')).toBe('export const a = 2\n')
  })
})

describe('the files of a run', () => {
  it('keep what a person wrote there while it was paused before the gates', async () => {
    const repository = makeRepository(FILES)
    let judged = 0
    const played = await play({
      repository,
      workflow: 'direct',
      settings: { runs: { max_attempts: 2 } },
      reply: (request) => change(request),
      judge: () => {
        judged += 1
        return verdict('passed')
      },
      afterAgent: async (store, run) => void (await store.pause(run, 'ada')),
    })
    expect(played.row).toMatchObject({ state: 'waiting', reason: 'paused' })
    expect(judged).toBe(0)
    writeFileSync(join(played.row.facts.workspace ?? '', 'note.txt'), 'mine\n')
    await played.store.resume(played.row.id, 'ada')
    const row = await played.again()
    expect(row.state).toBe('succeeded')
    const refs = git(repository, 'for-each-ref', '--format=%(refname)', `refs/reeve/attempts/${row.id}`).split('\n').filter(Boolean)
    expect(refs.map((it) => git(repository, 'ls-tree', '--name-only', it)).join('\n')).toContain('note.txt')
  })
})

describe('what an agent says', () => {
  it('is asked and kept without the secrets in it, also in a structured answer', async () => {
    const { row, store, types } = await play({
      repository: makeRepository(FILES),
      workflow: 'build',
      settings: { runs: { autonomy: 'manual' } },
      redact: (text) => text.replaceAll('hunter2', '[redacted]'),
      reply: () => ({ output: { ...PLAN, summary: 'Use the key hunter2.' } }),
      judge: () => verdict('passed'),
    })
    expect(types('approval.asked')[0]?.data['message']).toBe('Use the key [redacted].\n1. Change a')
    expect(JSON.stringify(await store.steps(row.id))).not.toContain('hunter2')
  })
})

describe('a run that is stopped', () => {
  it('in its gates ends like any other, though the gates have still something to tell', async () => {
    let stop = async (): Promise<unknown> => null
    const { row, store } = await play({
      repository: makeRepository(FILES),
      workflow: 'direct',
      reply: (request) => change(request),
      afterAgent: async (store, run) => {
        stop = () => store.cancel(run, 'ada')
      },
      judge: async (request) => {
        await stop()
        request.emit({ type: 'gate.started', gate: 'tests', command: 'npm test', where: 'change' })
        // Longer than it takes for a rejection to count as unhandled, which would end the process.
        await new Promise((resolve) => {
          setTimeout(resolve, 50)
        })
        return verdict('passed')
      },
    })
    expect(row.state).toBe('cancelled')
    await expect.poll(() => store.isAtWork(row.id), { timeout: 20_000 }).toBe(false)
  })
})
