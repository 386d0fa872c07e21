import { describe, expect, it } from 'vitest'
import { createProvider } from '../../src/models/create.ts'
import type { ModelEvent, ModelProvider, ProviderErrorClass } from '../../src/models/port.ts'
import { scripted } from '../support/agent.ts'
import { type Reply, startModelServer } from '../support/model-server.ts'
import { collect, providerSettings, textOf } from '../support/provider.ts'

/** One situation, as a model server plays it and as a file of replies says it. */
interface Situation {
  reply: Reply
  yaml: string
}

const SITUATIONS = {
  text: { reply: { kind: 'text', text: 'Good morning.' }, yaml: 'text: Good morning.' },
  call: { reply: { kind: 'call', name: 'look', input: { at: [1] } }, yaml: 'calls: [{ tool: look, input: { at: [1] } }]' },
  hang: { reply: { kind: 'stall', after: 'headers' }, yaml: 'stall: 10m' },
  garbage: { reply: { kind: 'garbage' }, yaml: 'garbage: true' },
  flood: { reply: { kind: 'flood', bytes: 50_000_000 }, yaml: 'text_bytes: 50000000' },
  auth: { reply: { kind: 'status', status: 401 }, yaml: 'fail: auth' },
  overloaded: { reply: { kind: 'status', status: 529 }, yaml: 'fail: overloaded' },
  limited: { reply: { kind: 'status', status: 429, headers: { 'retry-after': '900' } }, yaml: 'fail: rate_limited\n    retry_after: 900' },
  network: { reply: { kind: 'reset', after: 'nothing' }, yaml: 'fail: network' },
  tooLong: { reply: { kind: 'status', status: 413 }, yaml: 'fail: context_too_long' },
} as const satisfies Record<string, Situation>

const ADAPTERS = ['scripted', 'openai-compatible', 'anthropic', 'openai', 'google']
const LIMITS = { max_retries: 0, idle_timeout_seconds: 0.4 }

async function make(adapter: string, { reply, yaml }: Situation): Promise<ModelProvider> {
  if (adapter === 'scripted') return scripted(`replies:\n  - ${yaml}\n`, LIMITS)
  const { url } = await startModelServer(reply)
  const settings = providerSettings({ kind: adapter, base_url: url, model: 'm', api_key_env: 'K', ...LIMITS })
  return createProvider('p', settings, { env: { K: 'a-long-enough-key' }, projectRoot: '/' })
}

const TOOLS = [{ name: 'look', description: 'Looks.', input: { type: 'object', properties: {} } }]

async function ask(adapter: string, situation: Situation, signal = new AbortController().signal): Promise<ModelEvent[]> {
  const events = await collect(await make(adapter, situation), { tools: TOOLS, signal })
  const ends = events.filter((it) => it.type === 'done' || it.type === 'error')
  expect(ends, 'one end, and it comes last').toEqual([events.at(-1)])
  expect(ends[0]?.usage.requests, 'every call is counted').toBeLessThanOrEqual(1)
  return events
}

describe.each(ADAPTERS)('what every provider promises: %s', (adapter) => {
  it('answers with text, and counts it', async () => {
    const events = await ask(adapter, SITUATIONS.text)
    expect(textOf(events)).toBe('Good morning.')
    expect(events.at(-1)).toMatchObject({ type: 'done', finish: 'stop', usage: { requests: 1 } })
    expect((events.at(-1) as { usage: { outputTokens: number } }).usage.outputTokens).toBeGreaterThan(0)
  })

  it('answers with calls', async () => {
    const events = await ask(adapter, SITUATIONS.call)
    expect(events).toContainEqual({
      type: 'call',
      call: expect.objectContaining({ id: expect.any(String), name: 'look', input: { at: [1] } }),
    })
    expect(events.at(-1)).toMatchObject({ type: 'done', finish: 'calls' })
  })

  const failures: [Situation, ProviderErrorClass][] = [
    [SITUATIONS.hang, 'timeout'],
    [SITUATIONS.garbage, 'bad_output'],
    [SITUATIONS.flood, 'bad_output'],
    [SITUATIONS.auth, 'auth'],
    [SITUATIONS.overloaded, 'overloaded'],
    [SITUATIONS.limited, 'rate_limited'],
    [SITUATIONS.network, 'network'],
    [SITUATIONS.tooLong, 'context_too_long'],
  ]
  it.each(failures)('$yaml ends as %s', async (situation, expected) => {
    const events = await ask(adapter, situation)
    expect(events.at(-1)).toMatchObject({ type: 'error', class: expected })
    expect((events.at(-1) as { problem: string }).problem).toMatch(/\S/)
  })

  it('says until when it is limited', async () => {
    const event = (await ask(adapter, SITUATIONS.limited)).at(-1) as { retryAt: number }
    expect(Math.abs(event.retryAt - Date.now() - 900_000)).toBeLessThan(10_000)
  })

  it('ends at once when it is aborted, before and meanwhile', async () => {
    expect((await ask(adapter, SITUATIONS.text, AbortSignal.abort())).at(-1)).toMatchObject({ type: 'error', class: 'aborted' })
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 100)
    expect((await ask(adapter, SITUATIONS.hang, stop.signal)).at(-1)).toMatchObject({ type: 'error', class: 'aborted' })
  })

  it('may be left in the middle', async () => {
    const provider = await make(adapter, SITUATIONS.flood)
    const { signal } = new AbortController()
    const origin = { run: 'r', task: 't', step: 's', role: 'implementer', attempt: 1, turn: 0 }
    for await (const event of provider.generate({ messages: [{ role: 'user', text: 'x' }], tools: [], origin, signal })) {
      expect(event.type).toBe('text')
      break
    }
  })

  it('is healthy without a paid call', async () => {
    const { ok, detail } = await (await make(adapter, SITUATIONS.text)).health(new AbortController().signal)
    expect({ ok, said: detail !== '' }).toEqual({ ok: true, said: true })
  })
})
