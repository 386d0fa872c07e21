import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createLoopAgent } from '../../src/agents/loop/agent.ts'
import type { AgentRequest } from '../../src/agents/port.ts'
import { systemClock } from '../../src/core/clock.ts'
import type { RunEvent } from '../../src/core/event.ts'
import { NO_USAGE } from '../../src/core/run.ts'
import { settingsSchema } from '../../src/core/settings.ts'
import { createProvider } from '../../src/models/create.ts'
import { agentStep } from '../../src/steps/agent-step.ts'
import type { Job } from '../../src/steps/job.ts'
import type { Kit } from '../../src/steps/kit.ts'
import type { Work } from '../../src/steps/work.ts'
import { temporaryFolder } from '../support/folder.ts'
import { makeRepository } from '../support/repository.ts'
import { play, verdict } from '../support/run-workflow.ts'

const CAP = 0.5
// $10 and $50 for a million tokens: a call of 1500 and 200 tokens costs $0.025.
const CALL = '{ delay: 20ms, usage: { input: 1500, output: 200 }, calls: [{ tool: list_files, input: { path: "N" } }] }'
const DONE = '{ text: Fine., usage: { input: 1500, output: 200 } }'

/** Real agents over scripted replies that cost money: each wants so many calls. */
function paidAgents(calls: number): Kit['agent'] {
  const folder = temporaryFolder()
  const turns = [...Array.from({ length: calls - 1 }, (_, at) => CALL.replace('N', String(at))), DONE]
  writeFileSync(join(folder, 'replies.yaml'), `replies: [{ turns: [${turns.join(', ')}] }]`)
  return async (name, settings) => {
    const provider = settings.providers[name] as Parameters<typeof createProvider>[1]
    const nothing = () => Promise.reject(new Error('not in this test'))
    return createLoopAgent({
      provider: await createProvider(name, provider, { env: {}, projectRoot: folder }),
      clock: systemClock,
      runProgram: nothing,
      syntaxErrors: nothing,
      repoMap: nothing,
      fileRules: settingsSchema.parse({}).files,
    })
  }
}

const PAID = { kind: 'scripted', file: 'replies.yaml', price: { input: 10, output: 50 } }
const paid = (runs: object) => ({ runs, providers: { order: ['paid'], paid: PAID } })

const DEAR = { kind: 'anthropic', model: 'a-model-nobody-knows' }
const dear = (runs: object) => ({ runs, providers: { order: ['dear'], dear: DEAR } })

const part = (job: Job, name: string): Promise<Work> =>
  agentStep(job, { name, role: 'reviewer', attempt: 1, goal: () => Promise.resolve('Look.'), message: 'chore: look' })

interface Sample {
  committed: number
  atWork: number
}

/** What is spent and reserved after each event, counted without the code that does it in the product. */
function samples(events: readonly RunEvent[]): Sample[] {
  let spent = 0
  const open = new Map<string, { reserved: number; told: number }>()
  return events.map(({ type, data }) => {
    const step = String(data['step'])
    const at = open.get(step)
    if (type === 'budget.reserved') open.set(step, { reserved: Number(data['usd']), told: 0 })
    if (type === 'usage.reported' && at) at.told += Number(data['cost'])
    if (type === 'step.finished' || type === 'step.failed') {
      spent += Number(data['cost'] ?? 0)
      open.delete(step)
    }
    const held = [...open.values()].reduce((sum, it) => sum + Math.max(it.reserved, it.told), 0)
    return { committed: spent + held, atWork: open.size }
  })
}

describe('five parts at the same time', () => {
  const FIVE = ['a', 'b', 'c', 'd', 'e']

  it('never have reserved and spent more than the cap together, and use it up', async () => {
    const works: Work[] = []
    const { events, types } = await play({
      repository: makeRepository({ 'a.txt': 'a\n' }),
      workflow: 'toy',
      settings: paid({ max_usd: CAP, max_step_usd: 0.2 }),
      agent: paidAgents(6),
      body: async (job) => {
        await Promise.all(FIVE.map(async (name) => works.push(await part(job, name))))
        return verdict('passed')
      },
      reply: () => ({}),
      judge: () => verdict('passed'),
    })
    const seen = samples(events)
    const most = Math.max(...seen.map((it) => it.committed))
    expect(most).toBeLessThanOrEqual(CAP + 1e-9)
    expect(most, 'nothing is held back').toBeGreaterThan(CAP * 0.9)
    expect(Math.max(...seen.map((it) => it.atWork)), 'they do work at the same time').toBeGreaterThanOrEqual(2)
    expect(types('agent.noticed').map((it) => it.data['text'])).toContainEqual(
      expect.stringMatching(/^Waits: \$[\d.]+ of \$0\.50 \(runs\.max_usd\) is spent, and \$[\d.]+ reserved by steps at work\.$/),
    )
    expect(seen.at(-1)?.committed, 'what was given back is used by those that waited').toBeGreaterThan(CAP * 0.7)
    const limits = works.flatMap((it) => (it.reached ? [it.reached.cap.name] : []))
    expect(limits.length, 'more was wanted than there was').toBeGreaterThan(0)
    expect(types('budget.reached').map((it) => it.data['limit'])).toEqual(expect.arrayContaining(limits))
  })

  it('take turns where none has a budget of its own, and all come to their end when the money is enough', async () => {
    const { row, events } = await play({
      repository: makeRepository({ 'a.txt': 'a\n' }),
      workflow: 'toy',
      settings: paid({ max_usd: CAP }),
      agent: paidAgents(2),
      body: async (job) => {
        const works = await Promise.all(FIVE.map((name) => part(job, name)))
        expect(works.map((it) => it.status)).toEqual(FIVE.map(() => 'completed'))
        return verdict('passed')
      },
      reply: () => ({}),
      judge: () => verdict('passed'),
    })
    expect(row.state, String(row.message)).toBe('succeeded')
    const seen = samples(events)
    expect(Math.max(...seen.map((it) => it.committed))).toBeLessThanOrEqual(CAP + 1e-9)
    expect(seen.at(-1)?.committed).toBeCloseTo(0.25, 9)
  })
})

describe('a budget that is used up', () => {
  const FILES = { 'src/a.js': 'export const a = 1\n' }
  /** Each attempt writes something else and costs what it may, at most 30 cents. */
  const spender = (usd: (number | null)[]) => (request: AgentRequest) => {
    const left = request.limits.usd
    usd.push(left)
    writeFileSync(join(request.workspace.path, 'src/a.js'), `export const a = ${usd.length + 1}\n`)
    const cost = Math.min(0.3, left ?? 0.3)
    return cost < 0.3 ? { status: 'limited' as const, limit: 'usd' as const, problem: 'no money', cost } : { cost }
  }

  it('ends a run that asks nobody, with what was spent; its work is kept', async () => {
    const left: (number | null)[] = []
    const { row, types } = await play({
      repository: makeRepository(FILES),
      workflow: 'direct',
      settings: { ...dear({ max_usd: 0.5, max_attempts: 5 }) },
      reply: spender(left),
      judge: () => verdict('failed'),
    })
    expect(left.map((it) => it?.toFixed(2))).toEqual(['0.50', '0.20'])
    expect(row).toMatchObject({
      state: 'failed',
      reason: 'budget',
      message: 'The budget of money is used up: $0.50 of $0.50 (runs.max_usd).',
    })
    expect(types('attempt.kept').length, 'every attempt, and the last state').toBeGreaterThanOrEqual(2)
    expect(types('budget.reached').map((it) => it.data['step'])).toEqual(['direct/attempt-2/implement', 'direct/attempt-3/implement'])
  })

  it('is asked for where the run asks people: yes gives the same again, no ends it', async () => {
    const left: (number | null)[] = []
    const played = await play({
      repository: makeRepository(FILES),
      workflow: 'direct',
      settings: dear({ max_usd: 0.5, max_attempts: 9, autonomy: 'supervised' }),
      reply: spender(left),
      judge: () => verdict('failed'),
    })
    expect(played.row).toMatchObject({ state: 'waiting', reason: 'approval' })
    expect(played.row.message).toBe(
      'The budget of money is used up: $0.50 of $0.50 (runs.max_usd). What was written is kept. Approve to give it $0.50 more, reject to end the run.',
    )
    await played.store.signal(played.row.id, 'approve', {}, 'ada')
    const again = await played.again()
    expect(
      left.map((it) => it?.toFixed(2)),
      'twice the budget, and no more',
    ).toEqual(['0.50', '0.20', '0.50', '0.20'])
    expect(again).toMatchObject({ state: 'waiting', reason: 'approval' })
    expect(again.message).toContain('$1.00 of $1.00')
    await played.store.signal(played.row.id, 'reject', { comment: 'enough' }, 'ada')
    expect(await played.again()).toMatchObject({
      state: 'failed',
      reason: 'budget',
      message: 'The budget of money is used up: $1.00 of $1.00 (runs.max_usd). More was refused by ada: enough.',
    })
    expect(left).toHaveLength(4)
  })

  it('is asked for once by all steps that wait for it', async () => {
    const begun: string[] = []
    const played = await play({
      repository: makeRepository(FILES),
      workflow: 'toy',
      settings: dear({ max_usd: 0.3, autonomy: 'manual', land: 'none' }),
      body: async (job) => {
        await Promise.all(['a', 'b', 'c'].map((name) => part(job, name)))
        return verdict('passed')
      },
      reply: (request) => {
        begun.push(request.origin.step)
        return { cost: 0.15 * (request.origin.step === 'a' ? 2 : 1) }
      },
      judge: () => verdict('passed'),
    })
    expect(begun).toEqual(['a'])
    expect(played.types('approval.asked').map((it) => it.data['what'])).toEqual(['budget-1'])
    await played.store.signal(played.row.id, 'approve', {}, 'ada')
    const row = await played.again()
    expect(row.state, String(row.message)).toBe('succeeded')
    expect(begun.toSorted()).toEqual(['a', 'b/budget-2', 'c/budget-2'])
    expect((await played.store.spend(row.id)).cost).toBeCloseTo(0.6, 9)
  })

  it('of an attempt leaves the next one its own', async () => {
    const left: [string, number | null][] = []
    const { row } = await play({
      repository: makeRepository(FILES),
      workflow: 'build',
      task: { kind: 'chore' },
      settings: dear({ max_usd: 2, max_attempt_usd: 0.4, max_step_usd: 0.35, max_attempts: 2 }),
      reply: (request) => {
        const { step } = request.origin
        left.push([step, request.limits.usd])
        if (request.role.name === 'architect')
          return { output: { summary: 'One.', parts: [{ id: 'one', title: 'Change a', goal: 'a is 2', files: [] }] }, cost: 0.1 }
        if (request.role.name !== 'reviewer') writeFileSync(join(request.workspace.path, 'src/a.js'), `export const a = ${left.length}\n`)
        return { cost: 0.3 }
      },
      judge: () => verdict('failed'),
    })
    expect(row).toMatchObject({ state: 'failed', reason: 'gates' })
    expect(left.map(([step, usd]) => `${step} ${usd?.toFixed(2)}`)).toEqual([
      'plan 0.35',
      'part-1/attempt-1/implement 0.35',
      'part-1/attempt-1/review 0.10',
      'part-1/attempt-2/implement 0.35',
    ])
  })

  it('counts a step of unknown cost as what was reserved for it, and says so once', async () => {
    const left: (number | null)[] = []
    const { row, types } = await play({
      repository: makeRepository(FILES),
      workflow: 'direct',
      settings: dear({ max_usd: 1, max_step_usd: 0.4, max_attempts: 9 }),
      reply: (request) => {
        left.push(request.limits.usd)
        writeFileSync(join(request.workspace.path, 'src/a.js'), `export const a = ${left.length + 1}\n`)
        return { cost: null }
      },
      judge: () => verdict('failed'),
    })
    expect(left.map((it) => it?.toFixed(2))).toEqual(['0.40', '0.40', '0.20'])
    expect(row).toMatchObject({ state: 'failed', reason: 'budget' })
    expect(types('agent.noticed').map((it) => it.data['text'])).toEqual([
      'What "dear" costs is not known, so its step counts as the $0.40 that was reserved for it. Say the price in providers.dear.price or [prices].',
    ])
  })

  it('is not touched by what runs on one’s own machine, nor by a call that was refused', async () => {
    const left: (number | null)[] = []
    const local = { kind: 'openai-compatible', base_url: 'http://127.0.0.1:9/v1', model: 'm' }
    await play({
      repository: makeRepository(FILES),
      workflow: 'direct',
      settings: { runs: { max_usd: 1 }, providers: { order: ['dear', 'local'], dear: DEAR, local } },
      reply: (request, provider) => {
        left.push(request.limits.usd)
        if (provider === 'dear') return { status: 'failed', class: 'auth', problem: 'no', usage: NO_USAGE, cost: null }
        writeFileSync(join(request.workspace.path, 'src/a.js'), `export const a = ${left.length + 1}\n`)
        return { cost: null }
      },
      judge: (_request, number) => verdict(number === 0 ? 'failed' : 'passed'),
    })
    expect(left, 'money is no limit for the local one').toEqual([1, null, null])
  })
})
