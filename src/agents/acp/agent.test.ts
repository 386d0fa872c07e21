import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Move, speaker } from '../../../test/support/acp-agent.ts'
import { makeRole } from '../../../test/support/agent.ts'
import { type CliOver, cliDeps, plainAdapter, plainWorkspace, runOnce, scriptProgram } from '../../../test/support/cli-agent.ts'
import type { Json } from '../../core/json.ts'
import { createAcpAgent } from './agent.ts'

const text = (words: string): Move => ({ update: { sessionUpdate: 'agent_message_chunk', content: { type: 'text', text: words } } })
const call = (id: string, kind: string, more: { [key: string]: Json } = {}): Move => ({
  update: { sessionUpdate: 'tool_call', toolCallId: id, kind, title: `does ${kind}`, status: 'pending', ...more },
})
const called = (id: string, status: string, output = ''): Move => ({
  update: {
    sessionUpdate: 'tool_call_update',
    toolCallId: id,
    status,
    content: [{ type: 'content', content: { type: 'text', text: output } }],
  },
})
const END: Move = { end: { stopReason: 'end_turn' } }
const OPTIONS = [
  { optionId: 'always', kind: 'allow_always', name: 'Always' },
  { optionId: 'yes', kind: 'allow_once', name: 'Yes' },
  { optionId: 'no', kind: 'reject_once', name: 'No' },
]

async function run(prompts: Move[][], over: CliOver & { about?: { [key: string]: Json }; settings?: { [key: string]: Json } } = {}) {
  const { about, settings, ...request } = over
  const place = plainWorkspace({ 'a.txt': 'old\n' })
  const program = { path: scriptProgram(speaker(prompts, about), process.execPath), version: null }
  const adapter = plainAdapter({ acp: { args: ['--acp'] }, session: 'theirs' })
  const deps = cliDeps('', { program, adapter, ...(settings && { settings }) })
  const done = await runOnce(createAcpAgent(deps), place, request)
  const heard = readFileSync(join(place.home, 'heard.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((it) => JSON.parse(it) as { method?: string; params?: { [key: string]: Json }; result?: Json })
  return { ...done, heard, place }
}

describe('an agent that speaks the protocol', () => {
  it('works on one prompt, and what it tells becomes events and a result', async () => {
    const { result, events, heard } = await run(
      [
        [
          text('I look'),
          text(' first.'),
          call('1', 'read', { locations: [{ path: 'a.txt' }] }),
          called('1', 'completed', 'old'),
          // One that it has never announced.
          called('2', 'failed', 'no such file'),
          { do: "fs.writeFileSync('a.txt', 'new')" },
          text('All done.'),
          { end: { stopReason: 'end_turn', usage: { totalTokens: 110, inputTokens: 100, outputTokens: 10, cachedReadTokens: 40 } } },
        ],
      ],
      { settings: { model: 'm-2', price: { input: 1, output: 1 } } },
    )
    expect(result).toMatchObject({ status: 'completed', text: 'All done.', session: 's-1', problem: '' })
    expect(result.usage).toEqual({ inputTokens: 140, outputTokens: 10, cachedInputTokens: 40, requests: 1 })
    expect(events.filter((it) => it.type !== 'used')).toEqual([
      { type: 'started', program: 'fake', version: '7.1.0', model: 'm-2', session: 's-1' },
      { type: 'said', text: 'I look first.' },
      { type: 'acted', tool: 'read', target: 'a.txt', ok: true, summary: 'old' },
      { type: 'acted', tool: 'tool', target: '', ok: false, summary: 'no such file' },
      { type: 'said', text: 'All done.' },
    ])
    expect(heard.map((it) => it.method)).toEqual(['initialize', 'session/new', 'session/set_config_option', 'session/prompt'])
    expect(heard[2]?.params).toEqual({ sessionId: 's-1', configId: 'model', value: 'maker/m-2' })
  })

  it.each([
    ['edit', { write: 'none', run_commands: true }, 'no'],
    ['execute', { write: 'none', run_commands: true }, 'yes'],
    ['execute', { write: 'all', run_commands: false }, 'no'],
    ['edit', { write: 'tests', run_commands: false }, 'yes'],
    ['other', { write: 'none', run_commands: true }, 'no'],
    ['switch_mode', { write: 'none', run_commands: false }, 'no'],
    ['switch_mode', { write: 'all', run_commands: true }, 'yes'],
    ['read', { write: 'none', run_commands: false }, 'yes'],
  ])('asks for %s with %j and is told %s', async (kind, permissions, answer) => {
    const ask: Move = { ask: { toolCall: { toolCallId: '1', kind, title: 'something' }, options: OPTIONS } }
    const { heard, events } = await run([[ask, text('Fine.'), call('1', 'read'), END]], { role: makeRole({ permissions }) })
    expect(heard.find((it) => it.result !== undefined)?.result).toEqual({ outcome: { outcome: 'selected', optionId: answer } })
    const denied = { type: 'acted', tool: kind, target: 'something', ok: false, summary: 'not allowed' }
    expect(events.some((it) => JSON.stringify(it) === JSON.stringify(denied))).toBe(answer === 'no')
  })

  it('that ends its turn without a word has failed', async () => {
    const { result } = await run([[END]])
    expect(result).toMatchObject({
      status: 'failed',
      class: 'bad_output',
      problem: 'It ended its turn without a word, a call of a tool or a figure.',
    })
  })

  it.each([
    [{ code: 401, message: 'Incorrect API key' }, 'auth', 'Incorrect API key'],
    [{ code: -32_000, message: 'Authentication required' }, 'auth', 'Authentication required'],
    [
      { code: -32_603, message: 'Internal error', data: { details: 'HTTP 429: Too many requests' } },
      'rate_limited',
      'Internal error: HTTP 429: Too many requests',
    ],
    [{ code: -32_603, message: 'Something odd' }, 'crashed', 'Something odd'],
  ])('answers %j: %s', async (error, kind, problem) => {
    const { result } = await run([[{ fail: error }]])
    expect(result).toMatchObject({ status: 'failed', class: kind, problem })
  })

  it.each([
    ['refusal', { status: 'failed', class: 'refused' }],
    ['max_turn_requests', { status: 'limited' }],
    ['max_tokens', { status: 'failed', class: 'bad_output' }],
  ])('stops because of %s', async (stopReason, expected) => {
    const { result } = await run([[text('Well.'), { end: { stopReason } }]])
    expect(result).toMatchObject(expected)
  })

  it('that dies in the middle has not completed', async () => {
    const { result } = await run([[text('Well.'), { do: 'process.exit(3)' }]])
    expect(result).toMatchObject({ status: 'failed', class: 'crashed', problem: 'It ended with exit code 3.' })
  })

  it('is told what is wrong with its answer, in the same session', async () => {
    const outputSchema = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] }
    const { result, heard } = await run(
      [
        [text('I think it is one.'), call('1', 'read'), END],
        [text('{"n": 1}'), END],
      ],
      { outputSchema },
    )
    expect(result).toMatchObject({ status: 'completed', output: { n: 1 }, text: '{"n": 1}' })
    const prompts = heard.filter((it) => it.method === 'session/prompt').map((it) => JSON.stringify(it.params))
    expect(prompts[1]).toContain('Your last message does not have the wanted shape: the answer is not valid JSON')
  })

  it.each([
    [{ agentCapabilities: { loadSession: true } }, 's-0', ['initialize', 'session/load', 'session/prompt']],
    [{ agentCapabilities: { loadSession: true } }, 'gone', ['initialize', 'session/load', 'session/new', 'session/prompt']],
    [{}, 's-0', ['initialize', 'session/new', 'session/prompt']],
  ])('goes on with a session where it can (%j, %s)', async (about, session, methods) => {
    const { heard, result } = await run([[text('Fine.'), call('1', 'read'), END]], { about, session })
    expect(heard.map((it) => it.method)).toEqual(methods)
    expect(result.session).toBe(methods.includes('session/new') ? 's-1' : 's-0')
  })

  it.each([
    ['is asked to stop and does', '', 'session/cancel'],
    ['does not hear that it should stop', 'globalThis.deaf = true', 'session/cancel'],
  ])('%s', async (_, deaf, last) => {
    const stop = new AbortController()
    const working = run([[{ do: deaf || '0' }, text('x'.repeat(5000))]], {
      signal: stop.signal,
      emit: () => stop.abort(new Error('enough')),
    })
    const { result, heard } = await working
    expect(result).toMatchObject({ status: 'aborted', class: 'aborted', problem: 'The step was aborted.' })
    expect(heard.at(-1)?.method).toBe(last)
  })

  it('that falls silent is ended', async () => {
    const { result } = await run([[text('Let me think.')]], { settings: { idle_timeout_seconds: 0.3 } })
    expect(result).toMatchObject({ status: 'failed', class: 'timeout', problem: 'fake said nothing for 0.3 s and was ended.' })
  })
})
