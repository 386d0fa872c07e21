import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import type { Clock } from '../../src/core/clock.ts'
import { systemClock } from '../../src/core/clock.ts'
import type { Json } from '../../src/core/json.ts'
import { createProvider } from '../../src/models/create.ts'
import type { GenerateRequest, ModelEvent, ModelProvider, ToolSpec } from '../../src/models/port.ts'
import { type ModelServer, type Reply, startModelServer } from '../support/model-server.ts'
import { collect, providerSettings, request, textOf } from '../support/provider.ts'

const KEY = 'sk-very-secret-0123456789'
const KINDS = ['openai-compatible', 'anthropic', 'openai', 'google'] as const
const TOOL: ToolSpec = {
  name: 'read_file',
  description: 'Reads a file.',
  input: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] },
}

interface Bench {
  provider: ModelProvider
  server: ModelServer
}

/** Sleeps are noted and take no time when they are a pause between tries. */
function quickClock(pauses: number[]): Clock {
  return {
    now: () => systemClock.now(),
    sleep: (ms, signal) => {
      if (signal === undefined || ms < 100) return systemClock.sleep(ms, signal)
      pauses.push(ms)
      return systemClock.sleep(1, signal)
    },
  }
}

async function bench(kind: string, replies: Reply[], over: { [key: string]: Json } = {}, clock: Clock = systemClock): Promise<Bench> {
  const server = await startModelServer(...replies)
  const settings = providerSettings({
    kind,
    base_url: `${server.url}/v1`,
    model: 'm',
    api_key_env: 'KEY',
    max_retries: 0,
    dialect: 'generic',
    ...over,
  })
  return { server, provider: await createProvider('p', settings, { env: { KEY }, projectRoot: '/', clock }) }
}

/** An address on loopback where nobody listens. */
async function nobody(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return `http://127.0.0.1:${port}/v1`
}

function last(events: readonly ModelEvent[]): ModelEvent {
  const event = events.at(-1)
  if (!event) throw new Error('no event came')
  return event
}

/** Exactly one end, and it is the last event. */
function expectOneEnd(events: readonly ModelEvent[]): void {
  expect(events.filter((it) => it.type === 'done' || it.type === 'error')).toEqual([last(events)])
}

describe.each(KINDS)('a provider of kind %s', (kind) => {
  it('streams text, then usage with cached tokens', async () => {
    const { provider, server } = await bench(kind, [{ kind: 'text', text: 'Hello, wörld! ✓ And more.' }])
    const events = await collect(provider)
    expectOneEnd(events)
    expect(textOf(events)).toBe('Hello, wörld! ✓ And more.')
    expect(events.filter((it) => it.type === 'text').length).toBeGreaterThan(2)
    expect(last(events)).toEqual({
      type: 'done',
      usage: { inputTokens: 12, outputTokens: 5, cachedInputTokens: 4, requests: 1 },
      cost: null,
      finish: 'stop',
    })
    expect(JSON.stringify(server.seen[0]?.body)).toContain('You answer.')
  })

  it('always says how long an answer may be', async () => {
    const { provider, server } = await bench(kind, [{ kind: 'text', text: 'x' }], { max_tokens: 777, temperature: 0.25 })
    await collect(provider)
    const body = server.seen[0]?.body ?? {}
    const { generationConfig } = body as { generationConfig?: { maxOutputTokens?: number; temperature?: number } }
    expect(body['max_tokens'] ?? body['max_output_tokens'] ?? generationConfig?.maxOutputTokens).toBe(777)
    expect(body['temperature'] ?? generationConfig?.temperature).toBe(0.25)
  })

  it('gives tool calls, and sends calls and results back', async () => {
    const { provider, server } = await bench(kind, [
      { kind: 'call', name: 'read_file', input: { path: 'a.ts' }, text: 'I look.' },
      { kind: 'text', text: 'Seen.' },
    ])
    const events = await collect(provider, { tools: [TOOL] })
    expect(textOf(events)).toBe('I look.')
    const [call] = events.flatMap((it) => (it.type === 'call' ? [it.call] : []))
    expect(call).toMatchObject({ name: 'read_file', input: { path: 'a.ts' } })
    expect(call?.id).not.toBe('')
    expect(last(events)).toMatchObject({ type: 'done', finish: 'calls' })

    const messages: GenerateRequest['messages'] = [
      ...request().messages,
      { role: 'assistant', text: 'I look.', calls: call ? [call] : [] },
      { role: 'tool', results: [{ id: call?.id ?? '', name: 'read_file', text: 'content of a', isError: false }] },
    ]
    const after = await collect(provider, { tools: [TOOL], messages })
    expect(textOf(after)).toBe('Seen.')
    const sent = JSON.stringify(server.seen[1]?.body)
    for (const part of ['read_file', 'a.ts', 'content of a', 'I look.']) expect(sent).toContain(part)
    if (kind === 'google') expect(sent).toContain('signature-1')
    // Otherwise each turn would pay for all turns before it.
    expect(sent.includes('cache_control')).toBe(kind === 'anthropic')
    if (kind === 'openai') expect(server.seen[1]?.body).toMatchObject({ prompt_cache_key: 'r1/architect', store: false })
  })

  it('survives empty answers, failed calls and broken arguments in the messages', async () => {
    const { provider } = await bench(kind, [{ kind: 'text', text: 'Go on.' }])
    const messages: GenerateRequest['messages'] = [
      ...request().messages,
      { role: 'assistant', text: '', calls: [] },
      { role: 'user', text: 'Please.' },
      { role: 'assistant', text: '', calls: [{ id: 'c9', name: 'read_file', input: '{broken' }] },
      { role: 'tool', results: [{ id: 'c9', name: 'read_file', text: 'wrong arguments', isError: true }] },
    ]
    const events = await collect(provider, { tools: [TOOL], messages })
    expect(last(events)).toMatchObject({ type: 'done', finish: 'stop' })
  })

  it('hands on arguments that are no JSON, for the caller to judge', async () => {
    if (kind === 'google') return // sends objects, never text
    const { provider } = await bench(kind, [{ kind: 'call', name: 'read_file', input: '{"path": ' }])
    const events = await collect(provider, { tools: [TOOL] })
    expectOneEnd(events)
    const calls = events.flatMap((it) => (it.type === 'call' ? [it.call] : []))
    if (calls.length === 0) expect(last(events)).toMatchObject({ type: 'error', class: 'bad_output' })
    else expect(calls).toMatchObject([{ name: 'read_file', input: '{"path": ' }])
  })

  it('hands on a call of a tool that was not offered', async () => {
    const { provider } = await bench(kind, [{ kind: 'call', name: 'fly', input: { to: 'moon' } }])
    const events = await collect(provider, { tools: [TOOL] })
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'call', call: expect.objectContaining({ name: 'fly', input: { to: 'moon' } }) }),
    )
  })

  it('sends the configured headers with what they ask for', async () => {
    const headers = { 'x-run': '{run}', 'x-step': 'a {step} b', 'x-role': '{role}/{task}/{attempt}', 'x-other': '{unknown}' }
    const { provider, server } = await bench(kind, [{ kind: 'text', text: 'x' }], { headers })
    const origin = { run: 'r7', task: 'täsk ✓', step: 'part\r\nx-evil: 1', role: 'architect', attempt: 2, turn: 3 }
    await collect(provider, { origin })
    expect(server.seen[0]?.headers).toMatchObject({
      'x-run': 'r7',
      'x-step': 'a part x-evil: 1 b',
      'x-role': 'architect/t%C3%A4sk %E2%9C%93/2',
      'x-other': '{unknown}',
    })
    expect(server.seen[0]?.headers['x-evil']).toBeUndefined()
  })

  const statuses: [status: number, body: Json, expected: string][] = [
    [401, { error: { message: `Incorrect API key: ${KEY}`, type: 'authentication_error' } }, 'auth'],
    [403, { error: { message: 'not allowed' } }, 'auth'],
    [404, { error: { message: 'no such model' } }, 'model'],
    [400, { error: { message: "model 'm' not found" } }, 'model'],
    [402, { error: { message: 'Payment required' } }, 'quota'],
    [429, { error: { message: 'You exceeded your current quota', code: 'insufficient_quota' } }, 'quota'],
    [400, { error: { message: 'Your credit balance is too low to access the API.' } }, 'quota'],
    [400, { error: { message: 'prompt is too long: 250000 tokens > 200000 maximum' } }, 'context_too_long'],
    [400, { error: { message: 'too long', code: 'context_length_exceeded' } }, 'context_too_long'],
    [413, { error: { message: 'request too large' } }, 'context_too_long'],
    [400, { error: { message: 'unknown field' } }, 'refused'],
    [429, { error: { message: 'slow down' } }, 'rate_limited'],
    [500, { error: { message: 'oops' } }, 'server'],
    [502, 'Bad Gateway', 'server'],
    [503, 'Service Unavailable', 'overloaded'],
    [529, { error: { message: 'Overloaded', type: 'overloaded_error' } }, 'overloaded'],
  ]
  it.each(statuses)('classifies HTTP %i %j as %s', async (status, body, expected) => {
    const { provider } = await bench(kind, [{ kind: 'status', status, body }])
    const events = await collect(provider)
    expect(events).toHaveLength(1)
    expect(last(events)).toMatchObject({ type: 'error', class: expected, cost: 0, usage: { inputTokens: 0, requests: 1 } })
    const { problem } = last(events) as { problem: string }
    expect(problem).toContain(`HTTP ${status}`)
    expect(problem).not.toContain(KEY)
  })

  it('tries again as the server asks, in seconds', async () => {
    const pauses: number[] = []
    const limited: Reply = { kind: 'status', status: 429, headers: { 'retry-after': '7' } }
    const { provider, server } = await bench(kind, [limited, { kind: 'text', text: 'Now.' }], { max_retries: 2 }, quickClock(pauses))
    const events = await collect(provider)
    expect(events[0]).toMatchObject({ type: 'retrying', class: 'rate_limited', inMs: 7000 })
    expect(textOf(events)).toBe('Now.')
    expect(last(events)).toMatchObject({ type: 'done', usage: { requests: 2 } })
    expect(server.seen).toHaveLength(2)
  })

  it('tries again as the server asks, with a date', async () => {
    const date = new Date(Date.now() + 20_000).toUTCString()
    const limited: Reply = { kind: 'status', status: 503, headers: { 'retry-after': date } }
    const { provider } = await bench(kind, [limited, { kind: 'text', text: 'Now.' }], { max_retries: 1 }, quickClock([]))
    const [first] = await collect(provider)
    expect(first).toMatchObject({ type: 'retrying', class: 'overloaded' })
    const { inMs } = first as { inMs: number }
    expect(inMs).toBeGreaterThan(15_000)
    expect(inMs).toBeLessThanOrEqual(20_000)
  })

  it('does not wait for hours, but says until when', async () => {
    const limited: Reply = { kind: 'status', status: 429, headers: { 'retry-after': '3600' } }
    const { provider, server } = await bench(kind, [limited], { max_retries: 5 })
    const event = last(await collect(provider))
    expect(event).toMatchObject({ type: 'error', class: 'rate_limited' })
    expect((event as { retryAt: number }).retryAt).toBeGreaterThan(Date.now() + 3_500_000)
    expect(server.seen).toHaveLength(1)
  })

  it('backs off with growing pauses and gives up after max_retries', async () => {
    const { provider, server } = await bench(kind, [{ kind: 'status', status: 503 }], { max_retries: 3 }, quickClock([]))
    const events = await collect(provider)
    const waits = events.flatMap((it) => (it.type === 'retrying' ? [it.inMs] : []))
    expect(waits).toHaveLength(3)
    expect(waits.every((it, at) => it >= 250 * 2 ** at && it <= 500 * 2 ** at)).toBe(true)
    expect(last(events)).toMatchObject({ type: 'error', class: 'overloaded', usage: { requests: 4 } })
    expect(server.seen).toHaveLength(4)
  })

  it('does not try again what cannot get better', async () => {
    for (const status of [400, 401, 404]) {
      const { provider, server } = await bench(kind, [{ kind: 'status', status }], { max_retries: 3 })
      await collect(provider)
      expect(server.seen).toHaveLength(1)
    }
  })

  it('tries again after a lost connection, while nothing was said', async () => {
    const { provider } = await bench(
      kind,
      [
        { kind: 'reset', after: 'nothing' },
        { kind: 'text', text: 'Back.' },
      ],
      { max_retries: 1 },
      quickClock([]),
    )
    const events = await collect(provider)
    expect(events[0]).toMatchObject({ type: 'retrying', class: 'network' })
    expect(textOf(events)).toBe('Back.')
  })

  it('does not begin twice when the connection is lost in the middle', async () => {
    const { provider, server } = await bench(kind, [{ kind: 'reset', after: 'text' }], { max_retries: 3 })
    const events = await collect(provider)
    expectOneEnd(events)
    expect(textOf(events)).toBe('Once upon')
    expect(last(events)).toMatchObject({ type: 'error', class: 'network', cost: null })
    expect(server.seen).toHaveLength(1)
  })

  it.each(['nothing', 'headers', 'text'] as const)('ends when the server says nothing more after %s', async (after) => {
    const { provider, server } = await bench(kind, [{ kind: 'stall', after }], { idle_timeout_seconds: 0.3, max_retries: 3 })
    const began = performance.now()
    const events = await collect(provider)
    expectOneEnd(events)
    // What the server did for it, and asks for it, nobody knows.
    const problem = 'Nothing came for 0.3 s (idle_timeout_seconds).'
    expect(last(events)).toMatchObject({ type: 'error', class: 'timeout', problem, cost: null })
    expect(performance.now() - began).toBeLessThan(10_000)
    expect(server.seen).toHaveLength(1)
    await expect.poll(() => server.open()).toBe(0)
  })

  it('takes signs of life for life, but not for ever', async () => {
    const slow: Reply = { kind: 'slow', signs: 20, text: 'At last.' }
    const patient = await bench(kind, [slow], { idle_timeout_seconds: 0.6 })
    expect(textOf(await collect(patient.provider))).toBe('At last.')
    const { provider } = await bench(kind, [slow], { idle_timeout_seconds: 0.6, request_timeout_seconds: 0.4 })
    expect(last(await collect(provider))).toMatchObject({ class: 'timeout' })
  })

  it('ends when the whole answer takes too long', async () => {
    const { provider } = await bench(kind, [{ kind: 'stall', after: 'headers' }], { request_timeout_seconds: 0.3 })
    expect(last(await collect(provider))).toMatchObject({
      class: 'timeout',
      problem: 'The answer took longer than 0.3 s (request_timeout_seconds).',
    })
  })

  it.each(['nothing', 'text'] as const)('ends at once when it is aborted after %s', async (after) => {
    const { provider, server } = await bench(kind, [{ kind: 'stall', after }])
    const stop = new AbortController()
    setTimeout(() => stop.abort(new Error('enough')), 150)
    const began = performance.now()
    const events = await collect(provider, { signal: stop.signal })
    expectOneEnd(events)
    expect(last(events)).toMatchObject({ type: 'error', class: 'aborted' })
    expect(performance.now() - began).toBeLessThan(10_000)
    await expect.poll(() => server.open()).toBe(0)
  })

  it('asks nobody when it is aborted before', async () => {
    const { provider, server } = await bench(kind, [{ kind: 'text', text: 'x' }])
    expect(last(await collect(provider, { signal: AbortSignal.abort() }))).toMatchObject({ class: 'aborted' })
    expect(server.seen).toHaveLength(0)
  })

  it('ends a pause between tries when it is aborted', async () => {
    const { provider } = await bench(kind, [{ kind: 'status', status: 429, headers: { 'retry-after': '30' } }], { max_retries: 3 })
    const stop = new AbortController()
    setTimeout(() => stop.abort(new Error('enough')), 150)
    const began = performance.now()
    expect(last(await collect(provider, { signal: stop.signal }))).toMatchObject({ type: 'error', class: 'aborted' })
    expect(performance.now() - began).toBeLessThan(10_000)
  })

  it.each(['garbage', 'cut'] as const)('calls a stream that is %s bad output', async (how) => {
    const { provider } = await bench(kind, [{ kind: how }])
    const events = await collect(provider)
    expectOneEnd(events)
    expect(last(events)).toMatchObject({ type: 'error', class: 'bad_output' })
  })

  it('tells a refusal', async () => {
    const { provider } = await bench(kind, [{ kind: 'refusal' }])
    expect(last(await collect(provider))).toMatchObject({ type: 'done', finish: 'refused' })
  })

  it('classifies an error inside a stream', async () => {
    const { provider } = await bench(kind, [{ kind: 'broken', problem: 'Overloaded, server_error' }])
    const events = await collect(provider)
    expectOneEnd(events)
    expect(last(events)).toMatchObject({ type: 'error', class: 'overloaded' })
  })

  it('stops an answer of 50 MB', async () => {
    const { provider } = await bench(kind, [{ kind: 'flood', bytes: 50_000_000 }])
    const events = await collect(provider)
    expectOneEnd(events)
    expect(last(events)).toMatchObject({ type: 'error', class: 'bad_output', problem: 'The answer is longer than 1048576 characters.' })
    expect(textOf(events).length).toBeLessThanOrEqual(1_048_576)
  })

  it('counts one request of unknown cost when the server does not count', async () => {
    const { provider } = await bench(kind, [{ kind: 'text', text: 'x', usage: null }], { price: { input: 1, output: 1 } })
    const usage = { inputTokens: 0, outputTokens: 0, cachedInputTokens: 0, requests: 1 }
    expect(last(await collect(provider))).toMatchObject({ type: 'done', usage, cost: null })
  })

  it('works out the cost from the configured price', async () => {
    const price = { input: 10, output: 100, cached_input: 1 }
    const { provider } = await bench(kind, [{ kind: 'text', text: 'x' }], { price })
    // 8 fresh, 4 cached, 5 out
    expect((last(await collect(provider)) as { cost: number }).cost).toBeCloseTo((8 * 10 + 4 * 1 + 5 * 100) / 1e6, 12)
  })

  it('takes the key nowhere else', async () => {
    const other = await startModelServer({ kind: 'text', text: 'stolen' })
    const { provider } = await bench(kind, [{ kind: 'redirect', to: `${other.url}/v1/chat/completions` }])
    expect(last(await collect(provider))).toMatchObject({ type: 'error', class: 'network' })
    expect(other.seen).toHaveLength(0)
  })

  it('is healthy when the server answers, and says why not', async () => {
    const { signal } = new AbortController()
    const { provider, server } = await bench(kind, [{ kind: 'text', text: '' }])
    expect(await provider.health(signal)).toMatchObject({ ok: true })
    expect(server.asked[0]?.path).toBe('/v1/models')
    expect(Object.values(server.asked[0]?.headers ?? {}).some((it) => String(it).includes(KEY))).toBe(true)
    server.replies = [{ kind: 'status', status: 401 }]
    expect(await provider.health(signal)).toEqual({ ok: false, detail: `${server.url}/v1 refuses the key (HTTP 401).` })
    const dead = await bench(kind, [], { base_url: await nobody() })
    expect(await dead.provider.health(signal)).toMatchObject({ ok: false, detail: expect.stringContaining('cannot be reached') })
  })

  it('reports a server that is not there', async () => {
    const { provider } = await bench(kind, [], { base_url: await nobody() })
    expect(last(await collect(provider))).toMatchObject({ type: 'error', class: 'network' })
  })
})
