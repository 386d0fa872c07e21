import { once } from 'node:events'
import { type IncomingMessage, request, type ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { gzipSync } from 'node:zlib'
import { describe, expect, it, vi } from 'vitest'
import { metered, provider, REAL_KEY, scripted, sum } from '../../../test/support/meter.ts'
import { playSession } from '../../../test/support/scripted-client.ts'
import { METER_DIALECTS } from './port.ts'

const MEGABYTE = Buffer.alloc(1_000_000, 'y')

/** Bytes of buffers that something still holds. */
function buffered(): number {
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
  return process.memoryUsage().arrayBuffers
}

describe('what passes', () => {
  for (const dialect of METER_DIALECTS)
    for (const stream of [true, false])
      it(`is counted exactly in ${dialect}${stream ? '' : ', without a stream'}`, async () => {
        const server = await scripted()
        const meter = await metered(server.url)
        const turns = await playSession({ url: meter.url, dialect, stream, key: meter.token })
        expect(turns.at(-1)?.text).toBe('DONE')
        expect(sum(meter.calls)).toEqual([4006, 200])
        expect(meter.calls.map(({ model, source }) => [model, source])).toEqual(meter.calls.map(() => ['scripted', 'metered']))
        expect(meter.calls.reduce((all, it) => all + (it.cost ?? 0), 0)).toBeCloseTo(0.004406, 9)
        expect(meter.statuses.map((it) => [it.status, it.class])).toEqual([0, 1, 2, 3].map(() => [200, null]))
        expect(meter.traffic.filter((it) => it !== 'alive')).toEqual([0, 1, 2, 3].flatMap(() => ['began', 'ended']))
        expect(server.log.map((it) => it.key)).toEqual(Array(4).fill(REAL_KEY))
      })

  it('is counted with what the cache gave and took', async () => {
    const usage = { input: 1000, output: 20, cached: 700, written: 200 }
    const server = await scripted({ steps: [{ say: 'x', usage }] })
    const meter = await metered(server.url)
    for (const dialect of METER_DIALECTS) await playSession({ url: meter.url, dialect, key: meter.token })
    // Only one of the APIs tells what was put into the cache.
    expect(meter.calls.map((it) => it.tokens)).toEqual([
      { input: 1000, output: 20, cached: 700, written: 200 },
      { input: 1000, output: 20, cached: 700 },
      { input: 1000, output: 20, cached: 700 },
      { input: 1000, output: 20, cached: 700 },
    ])
  })

  it('is what the provider said, byte for byte, as it comes, and the key is in none of it', async () => {
    const server = await scripted()
    const meter = await metered(server.url)
    const [direct] = await playSession({ url: server.url, dialect: 'anthropic', key: REAL_KEY })
    const [passed] = await playSession({ url: meter.url, dialect: 'anthropic', key: meter.token })
    expect(passed?.body).toBe(direct?.body)
    expect(passed?.headers.get('content-type')).toBe('text/event-stream')

    let seen: IncomingMessage['headers'] = {}
    let url = ''
    const echo = await provider((incoming, response) => {
      seen = incoming.headers
      url = incoming.url ?? ''
      response
        .writeHead(401, { 'x-key': REAL_KEY, 'set-cookie': 'a=b' })
        .end(JSON.stringify({ error: { message: `Incorrect API key: ${REAL_KEY}` } }))
    })
    const other = await metered(`${echo}/gateway/v1/`, { headers: { 'X-Team': 'a {run} {role}' } })
    const answer = await fetch(`${other.url}/v1/messages?beta=true&key=${other.token}`, {
      method: 'POST',
      body: '{}',
      headers: { cookie: 'c=d', 'x-team': 'b' },
    })
    const text = await answer.text()
    expect(`${text}${JSON.stringify([...answer.headers])}${JSON.stringify(other.statuses)}`).not.toContain('sk-real')
    expect(text).toContain('[redacted]')
    expect(answer.headers.get('set-cookie')).toBeNull()
    expect(seen).toMatchObject({
      'x-goog-api-key': REAL_KEY,
      'x-team': 'a r1 implementer',
      'accept-encoding': 'identity',
      'content-length': '2',
    })
    expect(`${url}${JSON.stringify(seen)}`).not.toContain(other.token)
    expect(seen['cookie']).toBeUndefined()
    expect(url).toBe('/gateway/v1/messages?beta=true')
  })

  it('is read also when the provider packs it all the same', async () => {
    const usage = { input_tokens: 5, output_tokens: 6 }
    const body = JSON.stringify({ type: 'message', model: 'm', content: [], stop_reason: 'end_turn', usage })
    const url = await provider((incoming, response) => {
      incoming.resume().on('end', () => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(gzipSync(body))
      })
    })
    const meter = await metered(url)
    const answer = await fetch(`${meter.url}/v1/messages`, { method: 'POST', body: '{}', headers: { 'x-api-key': meter.token } })
    expect(await answer.text()).toBe(body)
    expect(meter.calls).toMatchObject([{ tokens: { input: 5, output: 6 }, source: 'metered' }])
  })

  it('may be big in both directions', async () => {
    const text = 'y'.repeat(3_000_000)
    const server = await scripted({ steps: [{ say: text }] })
    const meter = await metered(server.url)
    const [turn] = await playSession({ url: meter.url, dialect: 'openai-responses', key: meter.token, padding: 5_000_000 })
    expect(turn?.text).toHaveLength(3_000_000)
    expect(sum(meter.calls)).toEqual([1000, 50])
  })

  it('is not held: of a big request nothing is left when it has passed', async () => {
    const passed = Promise.withResolvers<ServerResponse>()
    const url = await provider((incoming, response) => void incoming.resume().on('end', () => passed.resolve(response)))
    const meter = await metered(url)
    const before = buffered()
    const client = request(`${meter.url}/v1/messages`, { method: 'POST', headers: { 'x-api-key': meter.token } })
    const answered = once(client, 'response')
    await pipeline(Readable.from(Array.from({ length: 32 }, () => MEGABYTE)), client)
    const response = await passed.promise
    // A copy of what was sent would be 32 MB.
    await vi.waitFor(() => expect(buffered() - before).toBeLessThan(20e6), { timeout: 10_000, interval: 100 })
    response.end('{}')
    const [answer] = (await answered) as [IncomingMessage]
    answer.resume()
  })

  it('is counted roughly when the provider does not count', async () => {
    const url = await provider((incoming, response) => {
      incoming.resume().on('end', () => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        for (let at = 0; at < 9; at++) response.write('data: {"choices":[{"delta":{"content":"x"}}]}\n\n')
        response.end('data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n')
      })
    })
    const meter = await metered(url)
    const body = JSON.stringify({ model: 'local', messages: ['x'.repeat(3600)] })
    await (
      await fetch(`${meter.url}/v1/chat/completions`, { method: 'POST', body, headers: { authorization: `Bearer ${meter.token}` } })
    ).text()
    expect(meter.calls).toMatchObject([{ model: 'local', source: 'estimated', usage: { outputTokens: 3 } }])
    expect(meter.calls[0]?.usage.inputTokens).toBeGreaterThan(1000)
    expect(meter.statuses).toMatchObject([{ status: 200, class: null }])
  })
})

describe('who is let through', () => {
  it('is only who has the token, in any of the usual places', async () => {
    const server = await scripted()
    const meter = await metered(server.url)
    const post = (headers: Record<string, string>, query = '') =>
      fetch(`${meter.url}/v1/messages${query}`, { method: 'POST', body: JSON.stringify({ model: 'm', tools: [], messages: [] }), headers })
    const good: [Record<string, string>, string?][] = [
      [{ 'x-api-key': meter.token }],
      [{ authorization: `Bearer ${meter.token}` }],
      [{ 'x-goog-api-key': meter.token }],
      [{}, `?key=${meter.token}`],
    ]
    for (const it of good) expect((await post(...it)).status).toBe(200)
    const bad: Record<string, string>[] = [{}, { 'x-api-key': REAL_KEY }, { authorization: 'Bearer x' }, { 'x-api-key': `${meter.token}x` }]
    for (const it of bad) {
      const answer = await post(it)
      expect([answer.status, await answer.json()]).toEqual([
        401,
        { type: 'error', error: { type: 'authentication_error', message: 'This is no key of this run.' } },
      ])
    }
    expect(server.log).toHaveLength(good.length)
  })

  it('reaches the API of models and nothing else', async () => {
    const server = await scripted({ models: ['m1'] })
    const meter = await metered(server.url, { dialects: ['anthropic'] })
    const ask = (method: string, path: string) =>
      fetch(`${meter.url}${path}`, { method, headers: { 'x-api-key': meter.token }, ...(method === 'POST' ? { body: '{}' } : {}) })
    expect(await (await ask('GET', '/v1/models')).json()).toMatchObject({ data: [{ id: 'm1' }] })
    const others: [string, string][] = [
      ['POST', '/api/event_logging/batch'],
      ['POST', '/v1/chat/completions'],
      ['POST', '/v1/files'],
      ['GET', '/v1/messages'],
      ['DELETE', '/v1/models/m1'],
      ['GET', '/v1/models/../files'],
    ]
    for (const it of others) expect([it, (await ask(...it)).status]).toEqual([it, 404])
    expect(server.log.map((it) => it.path)).toEqual(['/v1/models'])
    expect(meter.calls).toEqual([])
  })
})

describe('what goes wrong', () => {
  const statuses = [
    ['auth', 401, 'auth', null],
    ['forbidden', 403, 'auth', null],
    ['not_found', 404, 'model', null],
    ['context_too_long', 400, 'context_too_long', null],
    ['rate_limited', 429, 'rate_limited', 2000],
    ['quota', 429, 'quota', null],
    ['server', 500, 'server', null],
    ['unavailable', 503, 'overloaded', null],
  ] as const
  it.each(statuses)('%s is passed on and told with its class', async (fault, status, kind, retryAfterMs) => {
    const server = await scripted({ behaviour: { fault } })
    const meter = await metered(server.url)
    for (const dialect of METER_DIALECTS) {
      const [turn] = await playSession({ url: meter.url, dialect, key: meter.token })
      const [direct] = await playSession({ url: server.url, dialect, key: REAL_KEY })
      expect([turn?.status, turn?.body, turn?.headers.get('retry-after')]).toEqual([
        status,
        direct?.body,
        direct?.headers.get('retry-after'),
      ])
    }
    expect(meter.statuses).toEqual(
      METER_DIALECTS.map(() => ({
        status,
        class: kind,
        problem: expect.stringContaining(`HTTP ${status}: `),
        retryAfterMs,
        by: 'provider',
      })),
    )
    expect(meter.calls).toEqual([])
  })

  it('a provider that is away is a matter of the network', async () => {
    const meter = await metered('http://127.0.0.1:9')
    const [turn] = await playSession({ url: meter.url, dialect: 'google', key: meter.token })
    expect(turn?.status).toBe(502)
    expect(meter.statuses).toMatchObject([{ status: null, class: 'network' }])
    expect(meter.calls).toEqual([])
  })

  it('a connection that breaks, a stream that is cut, and one that is none are told apart, and what came is charged', async () => {
    const faults = ['reset', 'cut', 'malformed'] as const
    const server = await scripted({ behaviour: faults.map((fault, at) => ({ fault, on: [at + 1] })) })
    const meter = await metered(server.url)
    const play = () => playSession({ url: meter.url, dialect: 'anthropic', key: meter.token })
    expect((await play())[0]?.status).toBe(502)
    await expect(play()).rejects.toThrow('terminated')
    await expect(play()).rejects.toThrow('terminated')
    expect(meter.statuses.map((it) => [it.status, it.class])).toEqual([
      [null, 'network'],
      [200, 'network'],
      [200, 'bad_output'],
    ])
    expect(meter.calls.map((it) => it.source)).toEqual(['estimated', 'estimated'])
    expect(meter.calls[0]?.usage.inputTokens).toBe(1000)
  })

  it('silence before and in an answer is ended', async () => {
    const stalls = await scripted({ behaviour: { fault: 'stall' } })
    const before = await metered(stalls.url, { firstByteMs: 60 })
    const [turn] = await playSession({ url: before.url, dialect: 'openai-chat', key: before.token })
    expect(turn?.status).toBe(504)
    expect(before.statuses).toMatchObject([{ class: 'timeout', problem: 'Nothing came for 0.06 s (first_byte_timeout_seconds).' }])

    const pauses = await scripted({ behaviour: { fault: 'stall_in_stream' } })
    const within = await metered(pauses.url, { firstByteMs: 20_000, idleMs: 60 })
    await expect(playSession({ url: within.url, dialect: 'openai-chat', key: within.token })).rejects.toThrow('terminated')
    expect(within.statuses).toMatchObject([{ class: 'timeout', problem: 'Nothing came for 0.06 s (idle_timeout_seconds).' }])
  })

  it('a whole that takes too long is ended', async () => {
    const server = await scripted({ behaviour: { fault: 'stall' } })
    const meter = await metered(server.url, { requestMs: 60 })
    await playSession({ url: meter.url, dialect: 'anthropic', key: meter.token })
    expect(meter.statuses).toMatchObject([{ class: 'timeout', problem: 'The answer took longer than 0.06 s (request_timeout_seconds).' }])
  })

  it('an error within a stream, and a model that declines, are told', async () => {
    const url = await provider((incoming, response) => {
      incoming.resume().on('end', () => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.end('event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n')
      })
    })
    const broken = await metered(url)
    await fetch(`${broken.url}/v1/messages`, { method: 'POST', body: '{}', headers: { 'x-api-key': broken.token } })
    await vi.waitFor(() => expect(broken.statuses).toMatchObject([{ status: 200, class: 'overloaded', problem: 'Overloaded' }]))

    const server = await scripted({ steps: [{ refuse: 'No.' }] })
    const declined = await metered(server.url)
    for (const dialect of METER_DIALECTS) await playSession({ url: declined.url, dialect, key: declined.token })
    expect(declined.statuses.map((it) => it.class)).toEqual(Array(4).fill('refused'))
    expect(sum(declined.calls)).toEqual([4000, 200])
  })

  it('a program that goes away ends its request at the provider, and what was asked for is charged', async () => {
    const server = await scripted({ behaviour: { fault: 'stall_in_stream' } })
    const meter = await metered(server.url)
    const stop = new AbortController()
    const playing = playSession({ url: meter.url, dialect: 'anthropic', key: meter.token, signal: stop.signal })
    await vi.waitFor(() => expect(meter.traffic).toContain('alive'))
    stop.abort()
    await expect(playing).rejects.toThrow('abort')
    await vi.waitFor(() => expect(server.log[0]?.endedAt).not.toBeNull())
    await vi.waitFor(() => expect(meter.statuses).toMatchObject([{ class: 'aborted' }]))
    expect(meter.calls).toMatchObject([{ source: 'estimated', usage: { inputTokens: 1000 } }])
  })

  it('what is under way when the proxy is closed has been told by then', async () => {
    const server = await scripted({ behaviour: { fault: 'stall_in_stream' } })
    const left: unknown[] = []
    const pass = { admitted: true, leave: async (it: { class: unknown }) => void left.push(it.class) } as const
    const meter = await metered(server.url, { admission: { enter: () => Promise.resolve(pass) } })
    const playing = playSession({ url: meter.url, dialect: 'anthropic', key: meter.token }).catch(() => 'ended')
    await vi.waitFor(() => expect(meter.traffic).toContain('alive'))
    await meter.close()
    expect([meter.calls.length, meter.statuses.map((it) => it.class), left]).toEqual([1, ['aborted'], ['aborted']])
    expect(await playing).toBe('ended')
  })

  it('an address that leads elsewhere is not followed', async () => {
    const elsewhere: string[] = []
    const other = await provider((incoming, response) => {
      elsewhere.push(incoming.url ?? '')
      response.end()
    })
    const url = await provider((_, response) => void response.writeHead(307, { location: other }).end())
    const meter = await metered(url)
    const [turn] = await playSession({ url: meter.url, dialect: 'anthropic', key: meter.token })
    expect(turn?.status).toBe(502)
    expect(meter.statuses).toMatchObject([{ class: 'config', problem: 'The address leads somewhere else; nothing is sent there.' }])
    expect(elsewhere).toEqual([])
  })
})
