import { expect, it } from 'vitest'
import type { EventType, RunEvent } from '../core/event.ts'
import { createTally, type Tally } from './tally.ts'

const usage = { inputTokens: 100, outputTokens: 10, cachedInputTokens: 0, requests: 1 }

function tallyOf(...events: [EventType, RunEvent['data']?][]): Tally {
  const tally = createTally()
  for (const [type, data = {}] of events) tally.add({ type, data: { step: 'a', ...data } })
  return tally
}

const call = (cost: number | null): [EventType, RunEvent['data']] => ['usage.reported', { usage, cost }]

it('counts the calls of a step that never ended', () => {
  const died = tallyOf(['step.started'], call(0.1), call(0.2), ['run.interrupted'])
  expect(died.spent()).toMatchObject({ usage: { requests: 2, inputTokens: 200 }, cost: expect.closeTo(0.3), charged: expect.closeTo(0.3) })
  const again = tallyOf(['step.started'], call(0.1), ['run.interrupted'], ['step.started'], call(0.2))
  expect(again.spent({ step: 'a' }).cost).toBeCloseTo(0.3)
})

it('counts no call twice when the step has ended: its end holds the sums', () => {
  const sums = { usage: { ...usage, requests: 2 }, cost: 0.5 }
  expect(tallyOf(['step.started'], call(0.1), call(0.2), ['step.finished', sums]).spent().cost).toBe(0.5)
  const late = tallyOf(['step.started'], call(0.1), ['run.finished'], ['step.failed', sums])
  expect(late.spent(), 'a cancelled run says so after its end').toMatchObject({ usage: { requests: 2 }, cost: 0.5 })
})

it('counts the calls of a step whose end says nothing of usage', () => {
  expect(tallyOf(['step.started'], call(0.1), ['step.failed', { problem: 'x' }]).spent().cost).toBe(0.1)
})

it('shows what is reserved and not used, as long as the step is at work', () => {
  const reserved: [EventType, RunEvent['data']] = ['budget.reserved', { usd: 0.5, tokens: 1000 }]
  expect(tallyOf(['step.started'], reserved, call(0.1)).reserved()).toEqual({ usd: 0.4, tokens: 890 })
  expect(tallyOf(['step.started'], reserved, call(0.6)).reserved(), 'never below nothing').toEqual({ usd: 0, tokens: 890 })
  expect(tallyOf(['step.started'], reserved, ['run.interrupted']).reserved()).toEqual({ usd: 0, tokens: 0 })
  expect(tallyOf(['step.started'], reserved, ['step.finished']).reserved().usd).toBe(0)
})

it('charges the reservation where an agent that tells late died before it told', () => {
  const died = tallyOf(['step.started'], ['budget.reserved', { usd: 0.5, tokens: null, late: true }], ['run.interrupted'])
  expect(died.spent()).toMatchObject({ cost: null, charged: 0.5 })
  const told = tallyOf(['step.started'], ['budget.reserved', { usd: 0.5, late: true }], ['step.finished', { usage, cost: 0.2 }])
  expect(told.spent()).toMatchObject({ cost: 0.2, charged: 0.2 })
})

it('does not call the work of a program free that died before it said anything', () => {
  expect(tallyOf(['step.started'], ['agent.started'], ['run.interrupted']).spent()).toMatchObject({ cost: null, charged: 0 })
  expect(tallyOf(['step.started'], ['agent.started'], call(0.1), ['run.interrupted']).spent().cost).toBe(0.1)
})

it('tells the steps of one attempt apart', () => {
  const tally = tallyOf(
    ['step.finished', { step: 'part-1/attempt-1/implement', usage, cost: 0.1 }],
    ['step.finished', { step: 'part-1/attempt-10/implement', usage, cost: 0.2, charged: 0.4 }],
  )
  expect(tally.spent({ within: 'part-1/attempt-1/' }).cost).toBe(0.1)
  expect(tally.spent({ step: 'part-1/attempt-10/implement' })).toMatchObject({ cost: 0.2, charged: 0.4 })
})
