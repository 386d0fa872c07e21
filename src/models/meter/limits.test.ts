import { describe, expect, it, vi } from 'vitest'
import { metered, provider, scripted, sum } from '../../../test/support/meter.ts'
import { playSession } from '../../../test/support/scripted-client.ts'
import type { Admission } from '../admission.ts'
import { METER_DIALECTS } from './port.ts'

describe('a limit', () => {
  it('of money or tokens ends the requests before it is passed, with words of the dialect', async () => {
    for (const limits of [
      { usd: null, tokens: 5000, requests: null },
      { usd: 0.0055, tokens: null, requests: null },
      { usd: null, tokens: null, requests: 2 },
    ]) {
      const server = await scripted()
      const meter = await metered(server.url, { limits })
      const turns = await playSession({ url: meter.url, dialect: 'anthropic', key: meter.token, padding: 500 })
      expect(turns.at(-1)).toMatchObject({
        status: 402,
        body: expect.stringMatching(/"billing_error","message":"The .*(budget is reached|limit of 2)/),
      })
      expect(turns.at(-1)?.headers.get('x-should-retry')).toBe('false')
      expect(meter.limits).toHaveLength(1)
      const [input = 0, output = 0] = sum(meter.calls)
      expect(input + output).toBeLessThanOrEqual(5000)
      expect((input + output * 2) / 1_000_000).toBeLessThanOrEqual(0.0055)
      await playSession({ url: meter.url, dialect: 'anthropic', key: meter.token })
      expect(meter.limits).toHaveLength(1)
      expect(server.log).toHaveLength(meter.calls.length)
    }
  })

  it('of money holds for a model without a price, too, at the price of the one that was configured', async () => {
    const server = await scripted()
    const meter = await metered(server.url, {
      limits: { usd: 0.006, tokens: null, requests: null },
      model: 'usual',
      cost: (tokens, model) => (model === 'usual' ? (tokens.input * 1 + tokens.output * 2) / 1_000_000 : null),
    })
    const turns = await playSession({ url: meter.url, dialect: 'anthropic', key: meter.token })
    expect(turns.at(-1)?.status).toBe(402)
    expect(meter.calls[0]?.cost, 'what is not known is not told').toBeNull()
  })

  it('knows what the cache of the provider will have, which costs little', async () => {
    const usage = { input: 50_000, output: 10, cached: 49_000 }
    const server = await scripted({
      steps: [
        { read: 'a', usage },
        { read: 'b', usage },
        { say: 'x', usage },
      ],
    })
    const cost = (it: { input: number; cached: number }) => (it.input - it.cached + it.cached / 100) / 1_000_000
    const meter = await metered(server.url, { cost, limits: { usd: 0.02, tokens: null, requests: null } })
    const turns = await playSession({ url: meter.url, dialect: 'anthropic', key: meter.token })
    expect(turns.map((it) => it.status)).toEqual([200, 200, 200])
    expect(meter.calls.reduce((all, it) => all + (it.cost ?? 0), 0)).toBeLessThan(0.02)
  })

  it('ends an answer that takes more than there is', async () => {
    const pieces = Array.from(
      { length: 1000 },
      () => 'data: {"choices":[{"delta":{"content":"0123456789012345678901234567890123456789"}}]}\n\n',
    )
    const url = await provider((incoming, response) => {
      incoming.resume().on('end', () => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        const next = () =>
          pieces.length > 0 && !response.destroyed ? response.write(pieces.splice(0, 10).join(''), () => setImmediate(next)) : 0
        next()
      })
    })
    const meter = await metered(url, { limits: { usd: null, tokens: 3000, requests: null } })
    await expect(playSession({ url: meter.url, dialect: 'openai-chat', key: meter.token })).rejects.toThrow('terminated')
    await vi.waitFor(() => expect(meter.limits).toMatchObject([{ limit: 'tokens' }]))
    const [input = 0, output = 0] = sum(meter.calls)
    expect(input + output).toBeGreaterThan(2900)
    // What of it was on its way.
    expect(input + output).toBeLessThan(6000)
    expect(meter.statuses).toMatchObject([{ status: 200, class: null }])
    expect(pieces.length).toBeGreaterThan(300)
  })

  it('holds for requests at the same time: what is under way is reserved', async () => {
    const server = await scripted({ steps: [{ say: 'x' }], behaviour: { delay_ms: 30 } })
    const meter = await metered(server.url, { limits: { usd: null, tokens: 10_000, requests: null } })
    const all = Array.from({ length: 30 }, () => playSession({ url: meter.url, dialect: 'openai-chat', key: meter.token }))
    const statuses = (await Promise.all(all)).map(([turn]) => turn?.status)
    const [input = 0, output = 0] = sum(meter.calls)
    expect(input + output).toBeLessThanOrEqual(10_000)
    expect(new Set(statuses)).toEqual(new Set([200, 402]))
  })
})

describe('admission', () => {
  it('is asked for every request, and told of its end', async () => {
    const server = await scripted({ steps: [{ say: 'x' }], behaviour: [{ fault: 'overloaded', times: 3 }, { delay_ms: 2 }] })
    let now = 0
    let most = 0
    const left: unknown[] = []
    const said = new Set<string | undefined>()
    const turns: number[] = []
    const waiting: (() => void)[] = []
    const admission: Admission = {
      async enter({ origin }) {
        turns.push(origin.turn)
        if (now >= 4) await new Promise<void>((resolve) => waiting.push(resolve))
        now += 1
        most = Math.max(most, now)
        return {
          admitted: true,
          async leave(outcome) {
            left.push(outcome.class)
            said.add(outcome.problem?.replace(/5\d\d/, '5xx'))
            now -= 1
            waiting.shift()?.()
          },
        }
      },
    }
    const meter = await metered(server.url, { admission })
    const all = Array.from({ length: 200 }, (_, at) =>
      playSession({ url: meter.url, dialect: METER_DIALECTS[at % 4] ?? 'google', key: meter.token }),
    )
    await Promise.all(all)
    expect(most).toBe(4)
    expect(left.filter((it) => it === 'overloaded')).toHaveLength(3)
    expect(left).toHaveLength(200)
    expect(said, 'for who keeps its health').toEqual(new Set(['', 'HTTP 5xx: Overloaded.']))
    expect(turns.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, at) => at))
    expect(sum(meter.calls)).toEqual([197_000, 197 * 50])
  })

  it('may turn a request away until later', async () => {
    const server = await scripted()
    const refusal = { admitted: false, retryAt: Date.now() + 30_000, problem: 'The account rests.' } as const
    const meter = await metered(server.url, { admission: { enter: () => Promise.resolve(refusal) } })
    const [turn] = await playSession({ url: meter.url, dialect: 'openai-chat', key: meter.token })
    expect([turn?.status, turn?.body]).toEqual([429, expect.stringContaining('The account rests.')])
    expect(Number(turn?.headers.get('retry-after'))).toBeGreaterThan(25)
    expect(meter.statuses).toMatchObject([{ class: 'rate_limited', by: 'admission', problem: 'The account rests.' }])
    expect(server.log).toEqual([])
  })

  it('is not held for a program that went away while it waited', async () => {
    const server = await scripted()
    const aborted = Promise.withResolvers<void>()
    const stop = new AbortController()
    const admission: Admission = {
      enter: (_, signal) =>
        new Promise((_resolve, reject) => {
          setImmediate(() => stop.abort())
          signal.addEventListener('abort', () => {
            aborted.resolve()
            reject(signal.reason as Error)
          })
        }),
    }
    const meter = await metered(server.url, { admission })
    await expect(playSession({ url: meter.url, dialect: 'anthropic', key: meter.token, signal: stop.signal })).rejects.toThrow()
    await aborted.promise
    expect([server.log, meter.calls]).toEqual([[], []])
  })
})
