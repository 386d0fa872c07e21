import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type ModelServer, type Reply, startModelServer } from '../../../test/support/model-server.ts'
import { collect, providerSettings, request, textOf } from '../../../test/support/provider.ts'
import type { Json } from '../../core/json.ts'
import { createProvider } from '../create.ts'
import type { ModelProvider } from '../port.ts'

const SHOWN = { model_info: { 'general.architecture': 'qwen2', 'qwen2.context_length': 40_960 }, capabilities: ['completion', 'tools'] }
const TOOL = { name: 'read_file', description: 'Reads.', input: { type: 'object', properties: { path: { type: 'string' } } } }

function make(url: string, over: { [key: string]: Json } = {}): Promise<ModelProvider> {
  const settings = providerSettings({ kind: 'ollama', base_url: url, model: 'm', max_retries: 0, ...over })
  return createProvider('local', settings, { env: { K: 'a-long-enough-key' }, projectRoot: '/' })
}

async function bench(replies: Reply[], over: { [key: string]: Json } = {}, facts: ModelServer['facts'] = { '/api/show': SHOWN }) {
  const server = await startModelServer(...replies)
  server.facts = facts
  return { server, provider: await make(server.url, over) }
}

/** A server whose chat is these bytes, in pieces that end where no line does. */
async function answering(body: string): Promise<string> {
  const server = createServer((incoming, outgoing) => {
    incoming.resume()
    outgoing.writeHead(incoming.url === '/api/chat' ? 200 : 404, { 'content-type': 'application/x-ndjson' })
    for (const piece of body.match(/[\s\S]{1,7}/g) ?? []) outgoing.write(piece)
    outgoing.end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

describe('what Ollama is sent', () => {
  it('is the size of the context on each call: the smaller one of the setting and what the model was made for', async () => {
    const text: Reply = { kind: 'text', text: 'Hello.' }
    for (const [context_tokens, expected] of [
      [8192, 8192],
      [100_000, 40_960],
      [undefined, 32_768],
    ] as const) {
      const { server, provider } = await bench([text], context_tokens === undefined ? {} : { context_tokens })
      await collect(provider)
      expect(server.seen[0]?.body).toMatchObject({ options: { num_ctx: expected, num_predict: 8192 }, truncate: false, stream: true })
      expect(provider.capabilities).toMatchObject({ tools: true, schema: true, contextTokens: expected })
    }
  })

  it('is asked once what the model can do, and again when it did not say', async () => {
    const { server, provider } = await bench([{ kind: 'text', text: 'x' }], {}, {})
    await collect(provider)
    server.facts = { '/api/show': { ...SHOWN, capabilities: ['completion'] } }
    await collect(provider)
    await collect(provider)
    expect(server.asked.map((it) => [it.path, it.body])).toEqual([
      ['/api/show', { model: 'm' }],
      ['/api/show', { model: 'm' }],
    ])
    expect(provider.capabilities).toMatchObject({ tools: false, contextTokens: 32_768 })
  })

  it('is the schema, the time the model stays loaded, and the key where there is one', async () => {
    const over = { keep_alive: '10m', temperature: 0, api_key_env: 'K', headers: { 'x-run': '{run}' } }
    const { server, provider } = await bench([{ kind: 'text', text: '{}' }], over)
    const schema = { type: 'object', properties: { ok: { type: 'boolean' } } }
    await collect(provider, { schema })
    expect(server.seen[0]).toMatchObject({
      body: { format: schema, keep_alive: '10m', options: { temperature: 0 } },
      headers: { authorization: 'Bearer a-long-enough-key', 'x-run': 'r1' },
    })
    await collect(provider, { schema, tools: [TOOL] })
    expect(server.seen[1]?.body).not.toHaveProperty('format')
  })

  it('is tools, and their calls as objects', async () => {
    const { server, provider } = await bench([{ kind: 'text', text: 'x' }])
    await collect(provider, {
      tools: [TOOL],
      messages: [
        ...request().messages,
        { role: 'assistant', text: '', calls: [{ id: 'c', name: 'read_file', input: { path: 'a' } }] },
        { role: 'tool', results: [{ id: 'c', name: 'read_file', text: 'content', isError: false }] },
        { role: 'assistant', text: '', calls: [{ id: 'd', name: 'read_file', input: '{broken' }] },
      ],
    })
    expect(server.seen[0]?.body).toMatchObject({
      tools: [{ type: 'function', function: { name: 'read_file', description: 'Reads.', parameters: TOOL.input } }],
      messages: [
        { role: 'system', content: 'You answer.' },
        { role: 'user', content: 'Say something.' },
        { role: 'assistant', tool_calls: [{ function: { name: 'read_file', arguments: { path: 'a' } } }] },
        { role: 'tool', tool_name: 'read_file', content: 'content' },
        { role: 'assistant', tool_calls: [{ function: { arguments: { malformed: '{broken' } } }] },
      ],
    })
  })

  it('may have an address that ends as that of other servers', async () => {
    const server = await startModelServer({ kind: 'text', text: 'Hello.' })
    expect(textOf(await collect(await make(`${server.url}/v1`)))).toBe('Hello.')
    expect(server.seen[0]?.path).toBe('/api/chat')
  })
})

describe('what Ollama answers', () => {
  const line = (it: object) => `${JSON.stringify({ model: 'm', ...it })}\n`
  const over = line({ message: { content: '' }, done: true, done_reason: 'stop', prompt_eval_count: 26, eval_count: 9 })

  it('is read line by line: text, calls with objects, counts; thoughts are not handed on', async () => {
    const body =
      line({ message: { content: '', thinking: 'Let me see.' }, done: false }) +
      line({ message: { content: 'Grüße, ' }, done: false }) +
      line({ message: { content: '✓', tool_calls: [{ function: { name: 'read_file', arguments: { path: 'ä' } } }] }, done: false }) +
      over
    const events = await collect(await make(await answering(body)), { tools: [TOOL] })
    expect(events).toEqual([
      { type: 'text', text: 'Grüße, ' },
      { type: 'text', text: '✓' },
      { type: 'call', call: { id: 'call-0-0', name: 'read_file', input: { path: 'ä' } } },
      { type: 'done', usage: { inputTokens: 26, outputTokens: 9, cachedInputTokens: 0, requests: 1 }, cost: 0, finish: 'calls' },
    ])
  })

  const ends: [body: string, expected: object][] = [
    [line({ message: { content: 'x' }, done: true, done_reason: 'length', prompt_eval_count: 1 }), { type: 'done', finish: 'length' }],
    [line({ message: { content: 'x' }, done: true }), { type: 'done', finish: 'stop' }],
    [
      `${line({ message: { content: 'x' } })}{"error":"an error was encountered while running the model: unexpected EOF"}\n`,
      { type: 'error', class: 'server', problem: 'an error was encountered while running the model: unexpected EOF' },
    ],
    [line({ error: 'model runner has unexpectedly stopped' }), { type: 'error', class: 'server' }],
    [line({ error: 'prompt is too long: exceeds the context length' }), { type: 'error', class: 'context_too_long' }],
    [line({ message: { content: 'x' } }), { type: 'error', class: 'bad_output' }],
    ['<html>nothing\n', { type: 'error', class: 'bad_output', problem: 'The stream holds a line that is no JSON: <html>nothing' }],
    ['', { type: 'error', class: 'bad_output' }],
  ]
  it.each(ends)('%j', async (body, expected) => {
    const events = await collect(await make(await answering(body)))
    expect(events.at(-1)).toMatchObject(expected)
  })

  const refusals: [status: number, error: string, expected: string][] = [
    [404, 'model "m" not found, try pulling it first', 'model'],
    [400, 'registry.ollama.ai/library/m does not support tools', 'refused'],
    [401, 'unauthorized', 'auth'],
    [429, 'too many concurrent requests', 'rate_limited'],
    [500, 'llama runner process has terminated: exit status 2', 'server'],
    [502, 'bad gateway', 'server'],
    [503, 'server busy, please try again.  maximum pending requests exceeded', 'overloaded'],
  ]
  it.each(refusals)('%i %j is %s', async (status, error, expected) => {
    const { provider } = await bench([{ kind: 'status', status, body: { error } }])
    const [event] = await collect(provider)
    expect(event).toMatchObject({
      type: 'error',
      class: expected,
      problem: `HTTP ${status}: ${error.replace('  ', ' ')}`,
    })
  })
})

describe('a prompt for Ollama that does not fit', () => {
  it('is refused before it is sent, with both numbers', async () => {
    const { server, provider } = await bench([{ kind: 'text', text: 'x' }], { context_tokens: 2048 })
    const events = await collect(provider, { messages: [{ role: 'user', text: 'word '.repeat(2000) }] })
    expect(events).toMatchObject([
      {
        type: 'error',
        class: 'context_too_long',
        problem: 'The prompt has about 2786 tokens, and of the 2048 that the model reads (context_tokens) 1536 are for it.',
        cost: 0,
      },
    ])
    expect(server.seen).toHaveLength(0)
  })

  it('is known better once the server has counted', async () => {
    const counted: Reply = { kind: 'text', text: 'x', usage: { input: 1400, output: 1, cached: 0 } }
    const { server, provider } = await bench([counted], { context_tokens: 2048 })
    const messages = [{ role: 'user' as const, text: '漢字'.repeat(1000) }]
    expect((await collect(provider, { messages })).at(-1)).toMatchObject({ type: 'done' })
    const longer = [{ role: 'user' as const, text: '漢字'.repeat(1200) }]
    expect((await collect(provider, { messages: longer })).at(-1)).toMatchObject({ type: 'error', class: 'context_too_long' })
    expect(server.seen).toHaveLength(1)
  })
})

describe('the health of Ollama', () => {
  const { signal } = new AbortController()
  const facts = { '/api/version': { version: '0.12.3' }, '/api/tags': { models: [{ name: 'm:latest' }, { name: 'other:7b' }] } }

  it('names server and model, and whether it is loaded', async () => {
    const { server, provider } = await bench([], {}, facts)
    const at = `Ollama 0.12.3 at ${server.url}`
    expect(await provider.health(signal)).toEqual({ ok: true, detail: `${at}; m is installed.` })
    server.facts = { ...facts, '/api/ps': { models: [{ name: 'm:latest', context_length: 8192 }] } }
    expect(await provider.health(signal)).toEqual({ ok: true, detail: `${at}; m is loaded with 8192 tokens of context.` })
    server.facts = { ...facts, '/api/tags': { models: [{ name: 'other:7b' }] } }
    expect(await provider.health(signal)).toEqual({ ok: false, detail: `${at} has no model "m" (other:7b). Get it: ollama pull m` })
    server.facts = {}
    expect(await provider.health(signal)).toMatchObject({
      ok: false,
      detail: `${server.url} does not answer as Ollama does (/api/version).`,
    })
  })
})
