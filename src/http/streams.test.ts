import { describe, expect, it } from 'vitest'
import { streamingGateway, testHttp } from '../../test/support/http.ts'
import { readEvents, type ServerEvent } from '../client/events.ts'
import { ReeveError } from '../core/errors.ts'

type Events = Parameters<typeof streamingGateway>[0]

async function* numbers(from: number, to: number) {
  for (let seq = from; seq <= to; seq++) yield { run: 'r', seq, ts: 0, type: 'run.queued', data: {} }
}

const EVENTS = 'GET /api/v1/runs/r/events?follow=true'

async function eventsOf(answer: Response): Promise<ServerEvent[]> {
  const events: ServerEvent[] = []
  for await (const event of readEvents(answer.body as AsyncIterable<Uint8Array>)) events.push(event)
  return events
}

function aborted(signal: AbortSignal): Promise<unknown> {
  return signal.aborted ? Promise.resolve() : new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
}

/** Lets whatever is ready to run do so. */
const soon = () => new Promise((resolve) => setTimeout(resolve, 20))

describe('a stream', () => {
  it('gives each event with its id and says that it is at its end', async () => {
    const { ask } = testHttp({ gateway: streamingGateway(({ after = 0 }) => numbers(Number(after) + 1, 3)) })
    const answer = await ask(EVENTS)
    expect(answer.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    const events = await eventsOf(answer)
    expect(events.map((it) => [it.type, it.id])).toEqual([
      ['message', '1'],
      ['message', '2'],
      ['message', '3'],
      ['end', null],
    ])
    expect(JSON.parse(events[0]?.data ?? '')).toEqual({ run: 'r', seq: 1, ts: 0, type: 'run.queued', data: {} })
  })

  it('goes on behind the last event that came, and refuses an id that is none', async () => {
    const { ask } = testHttp({ gateway: streamingGateway(({ after = 0 }) => numbers(Number(after) + 1, 3)) })
    const answer = await ask(EVENTS, undefined, { headers: { 'last-event-id': '2' } })
    expect((await eventsOf(answer)).map((it) => it.id)).toEqual(['3', null])
    const empty = await ask(`${EVENTS}&after=1`, undefined, { headers: { 'last-event-id': '' } })
    expect((await eventsOf(empty)).map((it) => it.id)).toEqual(['2', '3', null])
    const real = testHttp()
    expect((await real.ask(EVENTS, undefined, { headers: { 'last-event-id': 'two' } })).status).toBe(400)
  })

  it('is lines of JSON where they are asked for', async () => {
    const { ask } = testHttp({ gateway: streamingGateway(() => numbers(1, 2)) })
    const answer = await ask(EVENTS, undefined, { headers: { accept: 'application/x-ndjson' } })
    const lines = (await answer.text()).trim().split('\n')
    expect(lines.map((it) => JSON.parse(it) as unknown)).toMatchObject([{ seq: 1 }, { seq: 2 }, { end: true }])
  })

  it('tells an error that comes at once by its status, and a later one as its last event', async () => {
    const broken: Events = async function* ({ after = 0 }) {
      yield* numbers(Number(after) + 1, 1)
      throw new ReeveError('draining')
    }
    const { ask } = testHttp({ gateway: streamingGateway(broken) })
    expect((await ask(EVENTS, undefined, { headers: { 'last-event-id': '1' } })).status).toBe(503)
    const events = await eventsOf(await ask(EVENTS))
    expect(events.map((it) => it.type)).toEqual(['message', 'error'])
    expect(JSON.parse(events[1]?.data ?? '')).toMatchObject({ code: 'draining', status: 503, hint: 'Try again in a moment.' })
  })

  it('asks its source for no more than its reader has taken', async () => {
    let made = 0
    const flood: Events = async function* () {
      for (;;) yield { run: 'r', seq: ++made, ts: 0, type: 'run.queued', data: { text: 'x'.repeat(1000) } }
    }
    const { ask } = testHttp({ gateway: streamingGateway(flood) })
    const reader = ((await ask(EVENTS)).body as ReadableStream<Uint8Array>).getReader()
    await reader.read()
    await soon()
    expect(made).toBeLessThan(5)
    await reader.cancel()
  })

  it('ends the work behind it when its reader goes, also while nothing comes', async () => {
    let ended = false
    const quiet: Events = async function* (_, signal) {
      try {
        yield* numbers(1, 1)
        await aborted(signal)
      } finally {
        ended = true
      }
    }
    const { ask } = testHttp({ gateway: streamingGateway(quiet) })
    const reader = ((await ask(EVENTS)).body as ReadableStream<Uint8Array>).getReader()
    for (let n = 0; n < 2; n++) await reader.read()
    await reader.cancel()
    await soon()
    expect(ended).toBe(true)
  })

  it('is answered to HEAD without being read', async () => {
    let ended = false
    const quiet: Events = async function* (_, signal) {
      await aborted(signal)
      ended = true
      yield* numbers(1, 1)
    }
    const { ask } = testHttp({ gateway: streamingGateway(quiet) })
    const answer = await ask(EVENTS.replace('GET', 'HEAD'))
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8'])
    await soon()
    expect(ended).toBe(true)
  })
})

describe('limits', () => {
  const tick = { now: () => time, sleep: async () => undefined }
  let time = 1_000_000

  it('hold a key to its requests in a minute, say when to come again, and never hold the owner', async () => {
    const { ask } = testHttp({ requestsPerMinute: 3, clock: tick })
    const list = (token: string) => ask('GET /api/v1/runs?all=true', undefined, { token })
    for (let n = 0; n < 3; n++) expect((await list('viewer')).status).toBe(200)
    time += 20_000
    const refused = await list('viewer')
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '40'])
    expect(await refused.json()).toMatchObject({
      detail: 'Too many requests: key:viewer has sent 3 in the last minute. Try again in 40 s.',
    })
    for (let n = 0; n < 5; n++) expect((await list('own')).status).toBe(200)
    expect((await list('operator')).status).toBe(200)
    time += 40_000
    expect((await list('viewer')).status).toBe(200)
  })

  it('hold a key to its streams, and give a place back when one ends', async () => {
    const { ask } = testHttp({ gateway: streamingGateway(() => numbers(1, 1)), streamsPerCaller: 2 })
    const open = () => ask(EVENTS, undefined, { token: 'viewer' })
    const [one] = [await open(), await open()]
    expect((await open()).status).toBe(429)
    expect((await ask(EVENTS)).status).toBe(200)
    await one?.body?.cancel()
    expect((await open()).status).toBe(200)
  })

  it('turn keys away while the daemon is late, and still answer for its health', async () => {
    const { ask } = testHttp({ loopDelay: () => 1500 })
    const refused = await ask('GET /api/v1/runs?all=true', undefined, { token: 'viewer' })
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '2'])
    expect((await ask('GET /health', undefined, { token: null })).status).toBe(200)
    expect((await ask('GET /api/v1/runs?all=true')).status).toBe(200)
  })
})
