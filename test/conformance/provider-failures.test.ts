import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { type Clock, systemClock } from '../../src/core/clock.ts'
import type { Json } from '../../src/core/json.ts'
import { createProvider } from '../../src/models/create.ts'
import { limitsFrom } from '../../src/models/limits.ts'
import type { ModelEvent } from '../../src/models/port.ts'
import { type Reply, startModelServer } from '../support/model-server.ts'
import { collect, providerSettings } from '../support/provider.ts'

const KINDS = ['anthropic', 'openai', 'google', 'openai-compatible', 'ollama'] as const
/** As the defaults, some hundred times shorter. */
const SHORT = { give_up_seconds: 0.5, idle_timeout_seconds: 0.3, first_byte_timeout_seconds: 0.3, dialect: 'generic' }

/** What can go wrong, the class it has in every dialect, and how often the server is asked before reeve moves on. */
const FAILURES: Record<string, { reply: Reply | 'down'; expected: string; asked: number; retryAt?: number; replaceable?: boolean }> = {
  'a server that is down': { reply: 'down', expected: 'network', asked: 0 },
  'a key that is refused': { reply: { kind: 'status', status: 401 }, expected: 'auth', asked: 1 },
  'a limit that lasts an hour': {
    reply: { kind: 'status', status: 429, headers: { 'retry-after': '3600' } },
    expected: 'rate_limited',
    asked: 1,
    retryAt: 3600,
  },
  'a limit that lasts two seconds, when another provider could take over': {
    reply: { kind: 'status', status: 429, headers: { 'retry-after': '2' } },
    expected: 'rate_limited',
    asked: 1,
    retryAt: 2,
    replaceable: true,
  },
  'a quota that is used up': {
    reply: { kind: 'status', status: 429, body: { error: { message: 'insufficient_quota' } }, headers: { 'retry-after': '7200' } },
    expected: 'quota',
    asked: 1,
    retryAt: 7200,
  },
  'a server that is overloaded': { reply: { kind: 'status', status: 529 }, expected: 'overloaded', asked: 1 },
  'a server that fails': { reply: { kind: 'status', status: 500 }, expected: 'server', asked: 1 },
  'a server that says nothing': { reply: { kind: 'stall', after: 'nothing' }, expected: 'timeout', asked: 1 },
  'a stream that stalls': { reply: { kind: 'stall', after: 'text' }, expected: 'timeout', asked: 1 },
  'a stream that is broken': { reply: { kind: 'garbage' }, expected: 'bad_output', asked: 1 },
  'a stream that is cut': { reply: { kind: 'cut' }, expected: 'bad_output', asked: 1 },
  'a request that is too long': {
    reply: { kind: 'status', status: 400, body: { error: { message: 'prompt is too long: 9 tokens > 8 maximum' } } },
    expected: 'context_too_long',
    asked: 1,
  },
  'a model that is not there': { reply: { kind: 'status', status: 404 }, expected: 'model', asked: 1 },
}

async function nobody(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return `http://127.0.0.1:${port}`
}

/** Pauses take no time. */
const clock: Clock = {
  now: () => systemClock.now(),
  sleep: (ms, signal) => systemClock.sleep(ms < 100 ? ms : 1, signal),
}

async function make(kind: string, url: string, over: { [key: string]: Json } = {}) {
  const settings = providerSettings({ kind, base_url: url, model: 'm', api_key_env: 'K', ...SHORT, ...over })
  return createProvider('p', settings, { env: { K: 'a-long-enough-key' }, projectRoot: '/', clock })
}

function pausesOf(events: readonly ModelEvent[]): number {
  return events.reduce((sum, it) => sum + (it.type === 'retrying' ? it.inMs : 0), 0)
}

describe.each(KINDS)('how soon %s moves on from', (kind) => {
  it.each(Object.entries(FAILURES))('%s', async (_, { reply, expected, asked, retryAt, replaceable = false }) => {
    const server = await startModelServer(...(reply === 'down' ? [] : [reply]))
    const provider = await make(kind, reply === 'down' ? await nobody() : server.url)
    const events = await collect(provider, { replaceable })
    const end = events.at(-1)
    expect(end).toMatchObject({ type: 'error', class: expected })
    expect(pausesOf(events)).toBeLessThanOrEqual(500)
    expect(server.seen.length).toBeGreaterThanOrEqual(asked)
    expect(server.seen.length, 'tries within give_up_seconds').toBeLessThanOrEqual(2)
    const said = end?.type === 'error' ? end.retryAt : undefined
    if (retryAt === undefined) expect(said).toBeUndefined()
    else expect(Math.abs((said ?? 0) - Date.now() - retryAt * 1000)).toBeLessThan(10_000)
  })

  it('a model that declines', async () => {
    const { url } = await startModelServer({ kind: 'refusal' })
    const end = (await collect(await make(kind, url))).at(-1)
    // Ollama has no word for it: the text says it, and the caller finds no answer in it.
    expect(end).toMatchObject({ type: 'done', finish: kind === 'ollama' ? 'stop' : 'refused' })
  })

  it('every failure, with the defaults, within a minute, but for the first byte of an engine on your own machine', () => {
    const settings = providerSettings({ kind })
    const local = kind === 'ollama'
    const { firstByteMs, idleMs } = limitsFrom(settings, local)
    expect(settings.give_up_seconds * 1000).toBeLessThan(60_000)
    expect(idleMs).toBeLessThan(60_000)
    if (local) expect(firstByteMs).toBe(300_000)
    else expect(firstByteMs).toBeLessThan(60_000)
  })
})
