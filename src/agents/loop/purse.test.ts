import { expect, it } from 'vitest'
import { made, runAgent, scripted } from '../../../test/support/agent.ts'
import type { GenerateRequest, ModelEvent, ModelProvider } from '../../models/port.ts'
import { createPurse } from './purse.ts'

const PRICE = { input: 10, output: 50, cached: 1 }
const LIMITS = { steps: 9, tokens: null, usd: 0.1, timeoutMs: 1000, commandTimeoutMs: 1000 }
const MESSAGES = [{ role: 'user', text: 'x'.repeat(3600) }] as const
const usage = { inputTokens: 1000, outputTokens: 100, cachedInputTokens: 0, requests: 1 }

/** A model that answers as long as it may, and asks for its price. */
function greedy(price = PRICE, tokensPerChar = 1 / 3.6): ModelProvider & { asked: (number | undefined)[] } {
  const asked: (number | undefined)[] = []
  return {
    ...made([]),
    asked,
    price,
    capabilities: { tools: true, schema: true, contextTokens: 100_000, outputTokens: 4000 },
    async *generate(request: GenerateRequest): AsyncGenerator<ModelEvent> {
      asked.push(request.maxOutputTokens)
      const output = Math.min(request.maxOutputTokens ?? 4000, 4000)
      const input = Math.round(JSON.stringify([request.messages, request.tools]).length * tokensPerChar)
      const cost = (input * price.input * 1.25 + output * price.output) / 1e6
      yield { type: 'call', call: { id: `c${asked.length}`, name: 'list_files', input: { path: `f${asked.length}` } } }
      yield {
        type: 'done',
        usage: { inputTokens: input, outputTokens: output, cachedInputTokens: 0, requests: 1 },
        cost,
        finish: 'calls',
      }
    },
  }
}

it('makes no call that could cost more than what is left, and says so', async () => {
  for (const usd of [0.05, 0.3, 1]) {
    const provider = greedy()
    const { result } = await runAgent(provider, { limits: { usd } })
    expect(result).toMatchObject({ status: 'limited', limit: 'usd' })
    expect(result.problem).toMatch(/^The limit of \$[\d.]+ (is reached|leaves \$[\d.]+, and the next call may cost \$[\d.]+)\.$/)
    expect(result.cost, `of ${usd}`).toBeLessThanOrEqual(usd)
    expect(result.cost, 'it is used, as far as calls fit in').toBeGreaterThan(usd * 0.5)
    expect(provider.asked.at(-1), 'the last answer is as short as the money').toBeLessThan(4000)
  }
})

it('learns from the first answer how densely a model counts', async () => {
  const provider = greedy(PRICE, 1 / 3)
  const { result } = await runAgent(provider, { limits: { usd: 0.4 } })
  expect(result).toMatchObject({ status: 'limited', limit: 'usd' })
  expect(result.cost).toBeLessThanOrEqual(0.4)
})

it('makes no call at all where the first does not fit', async () => {
  const provider = greedy()
  const { result } = await runAgent(provider, { limits: { usd: 0.001 } })
  expect(result).toMatchObject({ status: 'limited', limit: 'usd', steps: 0, cost: 0, usage: { requests: 0 } })
  expect(provider.asked).toEqual([])
})

it('counts a call whose cost nobody tells as the most that it can have been', () => {
  const purse = createPurse(LIMITS, greedy(), 0)
  purse.count({ usage: { ...usage, inputTokens: 0, outputTokens: 0 }, cost: null }, MESSAGES)
  expect(purse.cost).toBeNull()
  expect(purse.atMost).toBeGreaterThan((4000 * PRICE.output) / 1e6)
  expect(purse.next(MESSAGES)).toMatchObject({ ok: false, limit: 'usd' })
})

it('knows no bound where there is no price', async () => {
  const { price: _price, ...unpriced } = greedy()
  const purse = createPurse(LIMITS, unpriced, 0)
  purse.count({ usage, cost: null }, MESSAGES)
  expect([purse.atMost, purse.next(MESSAGES).ok]).toEqual([null, true])
})

it('tells each call with its cost, also one that failed after it was asked', async () => {
  const { events } = await runAgent(await scripted('replies: [{ turns: [{ text: ok, usage: { input: 7, output: 2 } }] }]'))
  expect(events.filter((it) => it.type === 'used')).toEqual([
    {
      type: 'used',
      usage: { inputTokens: 7, outputTokens: 2, cachedInputTokens: 0, requests: 1 },
      cost: 0,
      model: 'scripted',
      source: 'reported',
    },
  ])
  const failing = made([
    { type: 'error', class: 'server', problem: 'x', usage: { ...usage, inputTokens: 0, outputTokens: 0, requests: 2 }, cost: null },
  ])
  const broken = await runAgent(failing)
  expect(broken.events.find((it) => it.type === 'used')).toMatchObject({ usage: { requests: 2 }, cost: null, source: 'estimated' })
  const cut = await runAgent(made([]))
  expect(cut.events, 'a stream without an end').toContainEqual(expect.objectContaining({ type: 'used', cost: null, source: 'estimated' }))
})
