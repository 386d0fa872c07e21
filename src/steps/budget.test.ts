import { describe, expect, it } from 'vitest'
import type { AgentResult } from '../agents/port.ts'
import { systemClock } from '../core/clock.ts'
import type { EventType, RunEvent } from '../core/event.ts'
import { NO_USAGE } from '../core/run.ts'
import { settingsSchema } from '../core/settings.ts'
import type { StepHandle } from '../engine/port.ts'
import { createTally } from '../store/tally.ts'
import { notBegun, reachedBy } from './breach.ts'
import { type Grant, released, reserve, settle } from './budget.ts'
import type { Job } from './job.ts'

type Told = [EventType, RunEvent['data']]

/** What budgets look at: settings, the task's budget, and a tally that events go into. */
function bench(runs: object, provider: object = { kind: 'anthropic', model: 'unknown' }, budget?: object) {
  const tally = createTally()
  const told: Told[] = []
  const charged: unknown[] = []
  const job = {
    run: { tally, id: 'r1' },
    kit: { clock: systemClock },
    settings: settingsSchema.parse({ runs, providers: { p: provider } }),
    task: { budget },
    budget: { given: 1, asked: new Map(), waiting: new Set(), told: new Set() },
  } as unknown as Job
  const over = new AbortController()
  const step: StepHandle = {
    signal: over.signal,
    repeated: false,
    spentBefore: { usage: NO_USAGE, cost: 0 },
    charge: (_usage, cost, more) => void charged.push([cost, more]),
    summarize: () => undefined,
    fact: () => undefined,
    emit: async (type, data) => {
      told.push([type, data])
      tally.add({ type, data })
    },
  }
  const begin = (name: string) => {
    tally.add({ type: 'step.started', data: { step: name } })
    return reserve(job, name, 'p', step)
  }
  const end = (name: string, cost: number) => {
    tally.add({ type: 'step.finished', data: { step: name, usage: { ...NO_USAGE }, cost } })
    released(job)
  }
  return { job, step, told, charged, over, begin, end }
}

const usd = (it: object): unknown => ('usd' in it ? it.usd : `refused: ${'name' in it ? String(it.name) : ''}`)

describe('a reservation', () => {
  it('is the least of what step, attempt, run and task have left', async () => {
    const { begin, end } = bench({ max_usd: 5, max_attempt_usd: 1, max_step_usd: 0.7 }, undefined, { usd: 2 })
    expect(usd(await begin('plan'))).toBe(0.7)
    end('plan', 0.1)
    expect(usd(await begin('part-1/attempt-1/implement'))).toBe(0.7)
    end('part-1/attempt-1/implement', 0.6)
    expect(usd(await begin('part-1/attempt-1/review')), 'of the attempt').toBe(0.4)
    end('part-1/attempt-1/review', 0.4)
    expect(usd(await begin('part-1/attempt-1/review~2'))).toBe('refused: runs.max_attempt_usd')
    expect(usd(await begin('part-1/attempt-10/implement')), 'another attempt').toBe(0.7)
    end('part-1/attempt-10/implement', 0.7)
    expect(usd(await begin('part-2/attempt-1/implement')), 'of the task').toBeCloseTo(0.2, 9)
    end('part-2/attempt-1/implement', 0.2)
    expect(usd(await begin('part-2/attempt-2/implement'))).toBe('refused: budget.usd of the task')
  })

  it('is none of money where none is spent, also when others have used all of it', async () => {
    const { begin, end, told } = bench({ max_usd: 1, max_tokens: 500 }, { kind: 'llamacpp', file: 'x.gguf' })
    end('other', 1)
    expect(await begin('a')).toMatchObject({ usd: null, tokens: 500 })
    expect(told).toEqual([['budget.reserved', { step: 'a', tokens: 500, usd: null }]])
  })

  it('is none where there is no budget, and then nothing is told', async () => {
    const { begin, told } = bench({})
    expect(await begin('a')).toEqual({ usd: null, tokens: null, by: [] })
    expect(told).toEqual([])
  })

  it('waits for steps at work, says so once, and takes what they give back', async () => {
    const { begin, end, told } = bench({ max_usd: 1 })
    expect(usd(await begin('a'))).toBe(1)
    const [b, c] = [begin('b'), begin('c')]
    await Promise.resolve()
    expect(told.filter(([type]) => type === 'agent.noticed').map(([, data]) => data['text'])).toEqual([
      'Waits: $0.00 of $1.00 (runs.max_usd) is spent, and $1.00 reserved by steps at work.',
      'Waits: $0.00 of $1.00 (runs.max_usd) is spent, and $1.00 reserved by steps at work.',
    ])
    end('a', 0.25)
    expect(usd(await b)).toBe(0.75)
    end('b', 0.75)
    expect(usd(await c)).toBe('refused: runs.max_usd')
  })

  it('does not begin with a small rest while more may come back', async () => {
    const { begin, end } = bench({ max_usd: 1, max_step_usd: 0.45 })
    expect([usd(await begin('a')), usd(await begin('b'))]).toEqual([0.45, 0.45])
    const c = begin('c')
    end('a', 0.1)
    expect(usd(await c), 'not 0.1').toBe(0.45)
  })

  it('waits no longer than a step may take, and ends when the run is stopped', async () => {
    const slow = bench({ max_usd: 1, step_timeout_minutes: 0.001 })
    await slow.begin('a')
    const refused = await slow.begin('b')
    expect(refused).toMatchObject({ scope: 'run', reserved: 1 })
    if (!('scope' in refused)) throw new Error('not refused')
    expect(notBegun(refused).problem).toBe(
      'The budget of money is used up: $0.00 of $1.00 (runs.max_usd). $1.00 of it stayed reserved by other steps for too long.',
    )
    const stopped = bench({ max_usd: 1 })
    await stopped.begin('a')
    const waits = stopped.begin('b')
    await Promise.resolve()
    stopped.over.abort(new Error('stopped'))
    await expect(waits).rejects.toThrow()
    expect(stopped.job.budget.waiting.size).toBe(0)
  })

  it('says when an agent tells what it used at its end only', async () => {
    const late = async (provider: object) => {
      const { begin, told } = bench({ max_usd: 1 }, provider)
      await begin('a')
      return told.some(([, data]) => data['late'] === true)
    }
    expect(await late({ kind: 'claude', login: true })).toBe(true)
    expect(await late({ kind: 'claude' })).toBe(false)
    expect(await late({ kind: 'claude', meter: false })).toBe(true)
    expect(await late({ kind: 'cursor-agent' })).toBe(true)
    expect(await late({ kind: 'acp', binary: 'x' })).toBe(true)
    expect(await late({ kind: 'anthropic', model: 'm' })).toBe(false)
  })
})

const GIVEN: Grant = { usd: 0.5, tokens: null, by: [] }
const result = (over: Partial<AgentResult>): AgentResult => ({
  status: 'completed',
  text: '',
  output: null,
  problem: '',
  class: null,
  retryAt: null,
  usage: { ...NO_USAGE, inputTokens: 9, requests: 1 },
  cost: null,
  steps: 1,
  ...over,
})

describe('what a step is charged', () => {
  const table: [string, Partial<AgentResult>, Grant, number][] = [
    ['its cost', { cost: 0.2 }, GIVEN, 0.2],
    ['its reservation where the cost is not known', {}, GIVEN, 0.5],
    ['the most that it can have cost, where that is known', { costAtMost: 0.1 }, GIVEN, 0.1],
    ['never more than its reservation', { costAtMost: 9 }, GIVEN, 0.5],
    ['nothing without a budget of money', {}, { ...GIVEN, usd: null }, 0],
    ['nothing when it was refused', { status: 'failed', class: 'rate_limited', usage: NO_USAGE, steps: 0 }, GIVEN, 0],
    ['its reservation when it was refused after it had worked', { status: 'failed', class: 'network', usage: NO_USAGE }, GIVEN, 0.5],
    ['its reservation when it broke off', { status: 'failed', class: 'crashed', usage: NO_USAGE }, GIVEN, 0.5],
  ]
  it.each(table)('is %s', async (_title, over, given, expected) => {
    const { job, step, charged } = bench({})
    await settle(job, 'a', 'p', step, { given, result: result(over) })
    expect(charged).toEqual([[over.cost ?? null, expected]])
  })
})

it('knows the budget that ended an agent, also one that does not say it', async () => {
  const cap = (unit: 'usd' | 'tokens') => ({ scope: 'run', unit, name: `max_${unit}`, allowed: 1, given: 1, used: 0, reserved: 0 }) as const
  const given: Grant = { usd: 0.5, tokens: 100, by: [cap('usd'), cap('tokens')] }
  const by = async (over: Partial<AgentResult>) => {
    const { step } = bench({})
    return (await reachedBy('a', given, result({ status: 'limited', cost: 0, ...over }), step))?.cap.name ?? null
  }
  expect(await by({ limit: 'usd' })).toBe('max_usd')
  expect(await by({ limit: 'steps', cost: 0.5 })).toBeNull()
  expect(await by({ cost: 0.49 })).toBe('max_usd')
  expect(await by({ usage: { ...NO_USAGE, inputTokens: 90, outputTokens: 8 } })).toBe('max_tokens')
  expect(await by({ cost: 0.2 })).toBeNull()
  expect(await by({ status: 'completed', limit: 'usd' })).toBeNull()
})
