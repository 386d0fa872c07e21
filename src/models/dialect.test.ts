import { describe, expect, it } from 'vitest'
import { type ModelServer, type Reply, startModelServer } from '../../test/support/model-server.ts'
import { collect, providerSettings, textOf } from '../../test/support/provider.ts'
import type { Json } from '../core/json.ts'
import { createProvider } from './create.ts'

const LLAMA_PROPS = {
  default_generation_settings: { n_ctx: 4096 },
  chat_template: '{{ messages }}',
  chat_template_caps: { supports_tools: false, supports_tool_calls: false },
}
const SHOWN = { model_info: { 'qwen2.context_length': 32_768 }, capabilities: ['completion'] }
const TEXT: Reply = { kind: 'text', text: 'Hello.' }
const SCHEMA = { type: 'object', properties: { ok: { type: 'boolean' } }, required: ['ok'] }

interface Stub {
  facts: ModelServer['facts']
  capabilities: object
  detail: string
}

/** What each server says of itself, as its makers describe it; of llama-server as measured. */
const SERVERS: Record<string, Stub> = {
  'llama-server': {
    facts: { '/props': LLAMA_PROPS, '/api/version': { version: '0.0' } },
    capabilities: { tools: false, contextTokens: 4096 },
    detail: 'llama-server, 4096 tokens of context, no tool calls with this model',
  },
  'llama-server that serves many': {
    facts: {
      '/props': { role: 'router', default_generation_settings: { n_ctx: 0 } },
      '/props?model=m%2F1': { ...LLAMA_PROPS, chat_template_caps: { supports_tools: true } },
    },
    capabilities: { tools: true, contextTokens: 4096 },
    detail: 'llama-server, 4096 tokens of context',
  },
  'llama-server that loads the model yet': {
    facts: {
      '/props': { role: 'router', default_generation_settings: { n_ctx: 0 } },
      '/v1/models': { data: [{ id: 'm/1', status: { value: 'unloaded' }, context_length: 2048 }] },
    },
    capabilities: { tools: true, contextTokens: 2048 },
    detail: 'llama-server, 2048 tokens of context',
  },
  'Ollama with the model loaded': {
    facts: {
      '/api/version': { version: '0.12.3' },
      '/api/show': SHOWN,
      '/api/ps': { models: [{ name: 'm/1:latest', context_length: 8192 }] },
    },
    capabilities: { tools: false, contextTokens: 8192 },
    detail: 'ollama, 8192 tokens of context, no tool calls with this model',
  },
  'Ollama without it': {
    facts: { '/api/version': { version: '0.12.3' }, '/api/show': { ...SHOWN, capabilities: ['tools'] }, '/api/ps': { models: [] } },
    capabilities: { tools: true, contextTokens: 4096 },
    detail: 'ollama',
  },
  'LM Studio': {
    facts: {
      '/api/v1/models': {
        models: [
          { key: 'other', type: 'llm', max_context_length: 1 },
          {
            key: 'm/1',
            type: 'llm',
            max_context_length: 131_072,
            loaded_instances: [{ id: 'm/1', config: { context_length: 16_384 } }],
            capabilities: { vision: false, trained_for_tool_use: true },
          },
        ],
      },
    },
    capabilities: { tools: true, contextTokens: 16_384 },
    detail: 'lmstudio, 16384 tokens of context',
  },
  'LM Studio before 0.4': {
    facts: { '/api/v0/models': { object: 'list', data: [{ id: 'm/1', state: 'not-loaded', max_context_length: 32_768 }] } },
    capabilities: { tools: true, contextTokens: 32_768 },
    detail: 'lmstudio, 32768 tokens of context',
  },
  LocalAI: {
    facts: { '/.well-known/localai.json': { version: 'v4.9.0', endpoints: { models: '/v1/models' }, capabilities: {} } },
    capabilities: { tools: true, contextTokens: 128_000 },
    detail: 'localai',
  },
  'text-generation-webui': {
    facts: { '/v1/internal/model/info': { model_name: 'Qwen3-8B.gguf', lora_names: [] } },
    capabilities: { tools: true, contextTokens: 128_000 },
    detail: 'textgen, it answers with the model that it has loaded, "Qwen3-8B.gguf"; the name "m/1" is ignored',
  },
  vLLM: {
    facts: { '/v1/models': { data: [{ id: 'm/1', owned_by: 'vllm', max_model_len: 40_960 }] } },
    capabilities: { tools: true, contextTokens: 40_960 },
    detail: '40960 tokens of context',
  },
  'a server that says nothing of itself': { facts: {}, capabilities: { tools: true, contextTokens: 128_000 }, detail: '' },
}

async function bench(facts: ModelServer['facts'], over: { [key: string]: Json } = {}, ...replies: Reply[]) {
  const server = await startModelServer(...(replies.length === 0 ? [TEXT] : replies))
  server.facts = facts
  const settings = providerSettings({ kind: 'openai-compatible', base_url: `${server.url}/v1`, model: 'm/1', max_retries: 0, ...over })
  return { server, provider: await createProvider('local', settings, { env: { K: 'a-long-enough-key' }, projectRoot: '/' }) }
}

const { signal } = new AbortController()

describe('what an openai-compatible server is', () => {
  it.each(Object.entries(SERVERS))('%s', async (_, { facts, capabilities, detail }) => {
    const { server, provider } = await bench(facts, { api_key_env: 'K' })
    expect(server.asked, 'nothing is asked before it is needed').toEqual([])
    await provider.learn?.(signal)
    expect(provider.capabilities).toMatchObject(capabilities)
    expect(server.asked.map((it) => it.headers.authorization)).toEqual(server.asked.map(() => 'Bearer a-long-enough-key'))
    expect(await provider.health(signal)).toEqual({ ok: true, detail: `${server.url}/v1 answers${detail === '' ? '' : ` (${detail})`}.` })
    expect(textOf(await collect(provider))).toBe('Hello.')
  })

  it('is asked once, also by the next provider for it, and again after it went wrong', async () => {
    const { server, provider } = await bench({ '/props': LLAMA_PROPS })
    await collect(provider)
    await collect(provider)
    expect(server.asked.map((it) => it.path)).toEqual(['/props'])
    const settings = providerSettings({ kind: 'openai-compatible', base_url: `${server.url}/v1`, model: 'm/1', max_retries: 0 })
    const next = await createProvider('local', settings, { env: {}, projectRoot: '/' })
    expect(next.capabilities.contextTokens).toBe(4096)

    server.replies = [{ kind: 'status', status: 500 }, TEXT]
    server.facts = { '/props': { default_generation_settings: { n_ctx: 8192 } } }
    expect((await collect(next)).at(-1)).toMatchObject({ type: 'error', class: 'server' })
    await collect(next)
    expect(next.capabilities.contextTokens).toBe(8192)
    expect(server.asked).toHaveLength(2)
  })

  it('is what the settings say, and a generic one is asked nothing', async () => {
    const generic = await bench({ '/props': LLAMA_PROPS }, { dialect: 'generic' })
    await collect(generic.provider)
    expect(generic.server.asked).toEqual([])
    const said = await bench({ '/props': LLAMA_PROPS, '/api/version': { version: '1' } }, { dialect: 'ollama', context_tokens: 16_384 })
    await collect(said.provider)
    expect(said.server.asked.map((it) => it.path).toSorted()).toEqual(['/api/ps', '/api/show', '/api/version'])
    expect(said.provider.capabilities.contextTokens).toBe(16_384)
  })

  it('reads no more than it was started for, whatever the settings say', async () => {
    const { provider } = await bench({ '/props': LLAMA_PROPS }, { context_tokens: 32_768 })
    await provider.learn?.(signal)
    expect(provider.capabilities.contextTokens).toBe(4096)
  })

  it('is told of with the models that it lists, where ours is none of them', async () => {
    const { provider } = await bench({ '/v1/models': { data: 'abcdefg'.split('').map((id) => ({ id })) } })
    expect((await provider.health(signal)).detail).toMatch(/answers \(it lists no "m\/1" but a, b, c, d, e and 2 more\)\.$/)
  })

  it('is not known when it is not there, and that is not remembered', async () => {
    const settings = providerSettings({ kind: 'openai-compatible', base_url: 'http://127.0.0.1:1/v1', model: 'm', max_retries: 0 })
    const provider = await createProvider('p', settings, { env: {}, projectRoot: '/' })
    expect(await collect(provider)).toMatchObject([{ type: 'error', class: 'network' }])
    expect(provider.capabilities).toMatchObject({ tools: true, contextTokens: 128_000 })
  })
})

describe('an answer that must fit a schema', () => {
  it('is held to it in the strictest way that the server takes, one after the other', async () => {
    const no: Reply = { kind: 'status', status: 400, body: { error: { message: 'failed to parse grammar' } } }
    const { server, provider } = await bench({ '/props': LLAMA_PROPS }, {}, no, no, { kind: 'text', text: '{"ok":true}' })
    const events = await collect(provider, { schema: SCHEMA })
    expect(events.map((it) => it.type)).toEqual(['retrying', 'retrying', 'text', 'text', 'done'])
    const [first, second, third] = server.seen.map((it) => it.body)
    expect(first).toMatchObject({ response_format: { type: 'json_schema', json_schema: { schema: SCHEMA } }, cache_prompt: true })
    expect(second).toMatchObject({ grammar: expect.stringContaining('root ::=') })
    expect(second).not.toHaveProperty('response_format')
    expect(third).not.toHaveProperty('grammar')
    expect(JSON.stringify(third)).toContain('It must fit this JSON Schema')

    server.seen.length = 0
    server.replies = [TEXT]
    await collect(provider, { schema: SCHEMA })
    expect(server.seen, 'what was refused is not tried again').toHaveLength(1)
    expect(JSON.stringify(server.seen[0]?.body)).toContain('It must fit this JSON Schema')
    await collect(provider, { schema: { ...SCHEMA, required: [] } })
    expect(server.seen[1]?.body, 'it may have been that schema').toHaveProperty('response_format')
  })

  it('is asked for by a grammar where the server knows no other way', async () => {
    const { server, provider } = await bench({ '/v1/internal/model/info': { model_name: 'x' } })
    await collect(provider, { schema: SCHEMA })
    expect(server.seen[0]?.body).toMatchObject({ grammar_string: expect.stringContaining('root ::=') })
    await collect(provider, { schema: SCHEMA, tools: [{ name: 't', description: 'T.', input: { type: 'object' } }] })
    expect(server.seen[1]?.body, 'a grammar would forbid the calls').not.toHaveProperty('grammar_string')
  })

  it('is not asked for again when it is refused for another reason', async () => {
    const { server, provider } = await bench({}, {}, { kind: 'status', status: 400, body: { error: { message: 'temperature is wrong' } } })
    expect(await collect(provider, { schema: SCHEMA })).toMatchObject([{ type: 'error', class: 'refused' }])
    expect(server.seen).toHaveLength(1)
  })
})

describe('a long prompt for llama-server', () => {
  const messages = [{ role: 'user' as const, text: 'word '.repeat(2000) }]
  const facts = (tokens: number) => ({
    '/props': LLAMA_PROPS,
    '/apply-template': { prompt: 'rendered' },
    '/tokenize': { tokens: Array.from({ length: tokens }, (_, at) => at) },
  })

  it('is counted by the server, and refused with both numbers when it does not fit', async () => {
    const { server, provider } = await bench(facts(3500))
    expect(await collect(provider, { messages })).toMatchObject([
      {
        type: 'error',
        class: 'context_too_long',
        problem: 'The prompt has 3500 tokens, and of the 4096 that the server reads 3072 are for it.',
        cost: 0,
      },
    ])
    expect(server.seen).toEqual([])
    expect(server.asked.slice(1)).toMatchObject([
      { path: '/apply-template', body: { model: 'm/1', messages: [{ role: 'user' }] } },
      { path: '/tokenize', body: { model: 'm/1', content: 'rendered' } },
    ])
  })

  it('is sent when it fits, and when it cannot be counted; a short one is not counted', async () => {
    const fits = await bench(facts(2000))
    expect(textOf(await collect(fits.provider, { messages }))).toBe('Hello.')
    const uncounted = await bench({ '/props': LLAMA_PROPS })
    expect(textOf(await collect(uncounted.provider, { messages }))).toBe('Hello.')
    await collect(fits.provider)
    expect(fits.server.asked.filter((it) => it.path === '/tokenize')).toHaveLength(1)
  })

  it('is context_too_long when the server says so', async () => {
    const error = {
      code: 400,
      message: 'request (25017 tokens) exceeds the available context size (2048 tokens), try increasing it',
      type: 'exceed_context_size_error',
      n_prompt_tokens: 25_017,
      n_ctx: 2048,
    }
    const { provider } = await bench({ '/props': LLAMA_PROPS }, {}, { kind: 'status', status: 400, body: { error } })
    expect(await collect(provider)).toMatchObject([{ class: 'context_too_long', problem: expect.stringContaining('2048 tokens') }])
  })
})
