import { describe, expect, it } from 'vitest'
import { createProvider } from '../../src/models/create.ts'
import type { ModelProvider } from '../../src/models/port.ts'
import { providerOver, providerPromises, type Situation } from '../../src/plugin/provider-promises.ts'
import { scripted } from '../support/agent.ts'
import { type Reply, startModelServer } from '../support/model-server.ts'
import { situational } from '../support/plugin.ts'
import { providerSettings } from '../support/provider.ts'

/** One situation, as a model server plays it and as a file of replies says it. */
const SITUATIONS: Record<Situation, { reply: Reply; yaml: string }> = {
  text: { reply: { kind: 'text', text: 'Good morning.' }, yaml: 'text: Good morning.' },
  call: { reply: { kind: 'call', name: 'look', input: { at: [1] } }, yaml: 'calls: [{ tool: look, input: { at: [1] } }]' },
  silence: { reply: { kind: 'stall', after: 'headers' }, yaml: 'stall: 10m' },
  garbage: { reply: { kind: 'garbage' }, yaml: 'garbage: true' },
  flood: { reply: { kind: 'flood', bytes: 50_000_000 }, yaml: 'text_bytes: 50000000' },
  unauthorized: { reply: { kind: 'status', status: 401 }, yaml: 'fail: auth' },
  overloaded: { reply: { kind: 'status', status: 529 }, yaml: 'fail: overloaded' },
  limited: { reply: { kind: 'status', status: 429, headers: { 'retry-after': '900' } }, yaml: 'fail: rate_limited\n    retry_after: 900' },
  unreachable: { reply: { kind: 'reset', after: 'nothing' }, yaml: 'fail: network' },
  'too-long': { reply: { kind: 'status', status: 413 }, yaml: 'fail: context_too_long' },
}

const ADAPTERS = ['scripted', 'openai-compatible', 'anthropic', 'openai', 'google', 'ollama', 'plugin']
const LIMITS = { max_retries: 0, idle_timeout_seconds: 0.8, first_byte_timeout_seconds: 0.8 }
const OLLAMA = { '/api/version': { version: '0.12.0' }, '/api/tags': { models: [{ name: 'm:latest' }] } }

async function make(adapter: string, situation: Situation): Promise<ModelProvider> {
  const { reply, yaml } = SITUATIONS[situation]
  if (adapter === 'scripted') return scripted(`replies:\n  - ${yaml}\n`, LIMITS)
  if (adapter === 'plugin') return providerOver(situational(situation))
  const server = await startModelServer(reply)
  if (adapter === 'ollama') server.facts = OLLAMA
  const settings = providerSettings({ kind: adapter, base_url: server.url, model: 'm', api_key_env: 'K', ...LIMITS })
  return createProvider('p', settings, { env: { K: 'a-long-enough-key' }, projectRoot: '/' })
}

describe.each(ADAPTERS)('what every provider promises: %s', (adapter) => {
  for (const { name, run } of providerPromises({ make: (situation) => make(adapter, situation) })) it(name, run)
})

describe('the promises can be broken', () => {
  const broken = (plugin: Parameters<typeof providerOver>[0], name: string) =>
    providerPromises({ make: () => providerOver(plugin) })
      .find((it) => it.name === name)
      ?.run()

  it('by one that does not count, says another class, or never ends', async () => {
    await expect(broken(situational('text', { tokens: null }), 'answers with text, and counts it')).rejects.toThrow(
      'one request with its tokens',
    )
    await expect(broken(situational('unauthorized'), 'overloaded ends as overloaded')).rejects.toThrow('auth: The key is refused.')
    await expect(broken(situational('silence'), 'answers with calls')).rejects.toThrow('timeout: Nothing came for 0.4 s')
  })
})
