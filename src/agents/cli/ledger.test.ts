import { describe, expect, it } from 'vitest'
import type { AgentEvent } from '../port.ts'
import type { Stop } from './dues.ts'
import { openLedger } from './ledger.ts'
import type { CliEvent } from './port.ts'

type Usage = Extract<CliEvent, { t: 'usage' }>

function ledger(over: { metered?: boolean; tokens?: number; usd?: number; price?: number } = {}) {
  const events: AgentEvent[] = []
  const stops: Stop[] = []
  const { price } = over
  const book = openLedger({
    metered: over.metered ?? false,
    model: () => 'm-1',
    limits: { steps: 9, tokens: over.tokens ?? null, usd: over.usd ?? null, timeoutMs: 1, commandTimeoutMs: 1 },
    priced: price === undefined ? undefined : (_, { input }) => input * price,
    emit: (event) => events.push(event),
    stop: (stop) => stops.push(stop),
  })
  return { book, stops, used: () => events.filter((it) => it.type === 'used') }
}

const turn = (input: number, output: number, costUsd?: number): Usage => ({
  t: 'usage',
  scope: 'turn',
  input,
  output,
  ...(costUsd !== undefined && { costUsd }),
})
const total = (input: number, output: number, costUsd?: number): Usage => ({ ...turn(input, output, costUsd), scope: 'total' })
const usage = (inputTokens: number, outputTokens: number, requests: number, cachedInputTokens = 0) => ({
  inputTokens,
  outputTokens,
  cachedInputTokens,
  requests,
})

describe('what a program has used', () => {
  it('is booked turn by turn, as it is told', () => {
    const { book, used } = ledger()
    book.reported(turn(100, 5, 0.1))
    book.reported(turn(200, 5, 0.2))
    expect(used().map((it) => [it.usage, it.cost, it.source])).toEqual([
      [usage(100, 5, 1), 0.1, 'reported'],
      [usage(200, 5, 1), 0.2, 'reported'],
    ])
    book.processEnded(2)
    expect(used()).toHaveLength(2)
    expect(book.sum()).toEqual({ usage: usage(300, 10, 2), cost: expect.closeTo(0.3) })
  })

  it('that is told only in all is booked at the end, once', () => {
    const { book, used } = ledger()
    book.reported(total(10, 1, 0.01))
    book.reported(total(400, 20, 0.5))
    expect(used()).toEqual([])
    book.processEnded(3)
    expect(used()).toEqual([{ type: 'used', usage: usage(400, 20, 3), cost: 0.5, model: 'm-1', source: 'reported' }])
  })

  it('that is told both ways is booked once', () => {
    const { book } = ledger()
    book.reported(turn(100, 5, 0.1))
    book.reported(total(400, 20, 0.5))
    book.processEnded(3)
    expect(book.sum()).toEqual({ usage: usage(400, 20, 3), cost: 0.5 })
  })

  it('adds up over processes of one session', () => {
    const { book } = ledger()
    for (const _ of [1, 2]) {
      book.reported(total(400, 20, 0.5))
      book.processEnded(3)
    }
    expect(book.sum()).toEqual({ usage: usage(800, 40, 6), cost: 1 })
  })

  it('costs by the price of its model when it does not say, and is unknown without one: unknown is not free', () => {
    const priced = ledger({ price: 0.01 })
    priced.book.reported(total(400, 20))
    priced.book.processEnded(1)
    expect(priced.book.sum().cost).toBe(4)
    const { book } = ledger()
    book.reported(total(400, 20))
    book.processEnded(1)
    expect(book.sum().cost).toBeNull()
  })

  it('that nobody tells is an estimate of which nothing is known', () => {
    const { book, used } = ledger()
    book.processEnded(4)
    expect(used()).toEqual([{ type: 'used', usage: usage(0, 0, 4), cost: null, model: 'm-1', source: 'estimated' }])
  })

  it('is what the proxy saw, where there is one, whatever the program says', () => {
    const { book, used } = ledger({ metered: true })
    book.metered({ usage: usage(1000, 50, 1), tokens: { input: 1000, output: 50, cached: 0 }, cost: 0.2, model: 'm-9', source: 'metered' })
    book.reported(total(1, 1, 0))
    book.processEnded(1)
    expect(used().map((it) => [it.model, it.source])).toEqual([['m-9', 'metered']])
    expect(book.sum()).toEqual({ usage: usage(1000, 50, 1), cost: 0.2 })
  })

  it('over a limit ends the program', () => {
    const { book, stops } = ledger({ usd: 0.5 })
    book.reported(turn(1, 1, 0.4))
    expect(stops).toEqual([])
    book.reported(turn(1, 1, 0.2))
    expect(stops[0]).toMatchObject({ status: 'limited', limit: 'usd', problem: 'The limit of 0.5 US dollars is reached.' })
    const tokens = ledger({ tokens: 100 })
    tokens.book.reported(turn(99, 2))
    expect(tokens.stops[0]).toMatchObject({ limit: 'tokens' })
  })
})
