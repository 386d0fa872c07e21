import { describe, expect, it } from 'vitest'
import type { MeterDialect } from './port.ts'
import { newTally, type Tally } from './tally.ts'
import { createTap } from './tap.ts'

/** Reads a stream that comes in pieces of so many bytes. */
function read(dialect: MeterDialect, events: readonly object[], { size = 1e9, ending = '\n\n', type = 'text/event-stream' } = {}): Tally {
  const tally = newTally()
  const tap = createTap(tally, dialect, type)
  const bytes = Buffer.from(events.map((it) => `event: x\ndata: ${JSON.stringify(it)}${ending}`).join(''))
  for (let at = 0; at < bytes.length; at += size) tap.add(bytes.subarray(at, at + size))
  tap.end()
  return tally
}

const ANTHROPIC = [
  {
    type: 'message_start',
    message: {
      model: 'claude-x',
      usage: { input_tokens: 10, cache_read_input_tokens: 70, cache_creation_input_tokens: 20, output_tokens: 1 },
    },
  },
  { type: 'ping' },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'ü € 𝄞 "usage":{"input_tokens":9999}' } },
  { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 40 } },
  { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 55 } },
  { type: 'message_stop' },
]
const COUNTED = { input: 100, output: 55, cached: 70, written: 20 }

describe('an answer that passes', () => {
  it.each([1, 2, 3, 7, 64, 1e9])('is read in pieces of %d bytes, within a character too', (size) => {
    expect(read('anthropic', ANTHROPIC, { size })).toMatchObject({
      tokens: COUNTED,
      model: 'claude-x',
      finished: true,
      refused: false,
      error: null,
    })
  })

  it('is read whatever its lines end with, and without an end of its last one', () => {
    expect(read('anthropic', ANTHROPIC, { ending: '\r\n\r\n' }).tokens).toEqual(COUNTED)
    expect(read('anthropic', ANTHROPIC, { ending: '\n' }).finished).toBe(true)
  })

  it('is as it is told last: counts that come again are not added', () => {
    const again = ANTHROPIC.map((it) =>
      it.type === 'message_delta'
        ? { ...it, usage: { input_tokens: 10, cache_read_input_tokens: 70, cache_creation_input_tokens: 20, output_tokens: 55 } }
        : it,
    )
    expect(read('anthropic', again).tokens).toEqual(COUNTED)
    const chunk = (output: number) => ({ model: 'm', choices: [{ delta: {} }], usage: { prompt_tokens: 9, completion_tokens: output } })
    expect(read('openai-chat', [chunk(1), chunk(2), chunk(3)]).tokens).toEqual({ input: 9, output: 3, cached: 0 })
    const part = (output: number) => ({
      candidates: [{ content: {} }],
      usageMetadata: { promptTokenCount: 8, candidatesTokenCount: output },
    })
    expect(read('google', [part(1), part(5)]).tokens).toEqual({ input: 8, output: 5, cached: 0 })
  })

  it('is not finished before it says so', () => {
    expect(read('anthropic', ANTHROPIC.slice(0, -1))).toMatchObject({ finished: false, tokens: COUNTED })
    expect(read('anthropic', ANTHROPIC.slice(0, 3))).toMatchObject({ finished: false, tokens: { ...COUNTED, output: 1 } })
    expect(read('openai-chat', [{ choices: [{ delta: { content: 'x' }, finish_reason: null }] }]).finished).toBe(false)
    expect(read('openai-responses', [{ type: 'response.created', response: { status: 'in_progress', usage: null } }])).toMatchObject({
      finished: false,
      tokens: null,
    })
    expect(read('google', [{ candidates: [{ content: {} }] }]).finished).toBe(false)
  })

  it('counts thoughts, tools and what other servers say of their cache', () => {
    const usageMetadata = {
      promptTokenCount: 10,
      toolUsePromptTokenCount: 3,
      candidatesTokenCount: 4,
      thoughtsTokenCount: 6,
      cachedContentTokenCount: 2,
    }
    expect(read('google', [{ usageMetadata }]).tokens).toEqual({ input: 13, output: 10, cached: 2 })
    const usage = { prompt_tokens: 10, completion_tokens: 2, prompt_cache_hit_tokens: 7 }
    expect(read('openai-chat', [{ choices: [], usage }]).tokens).toEqual({ input: 10, output: 2, cached: 7 })
  })

  it('may say that it failed, or that the model declines', () => {
    const failed = { type: 'response.failed', response: { status: 'failed', error: { code: 'server_error', message: 'Oh.' } } }
    expect(read('openai-responses', [failed])).toMatchObject({ finished: false, error: '{"code":"server_error","message":"Oh."}' })
    expect(read('openai-chat', [{ error: { message: 'Oh.', code: 429 } }]).error).toBe('{"message":"Oh.","code":429}')
    expect(read('google', [{ promptFeedback: { blockReason: 'SAFETY' } }])).toMatchObject({ refused: true, finished: true })
    expect(read('google', [{ candidates: [{ finishReason: 'MAX_TOKENS' }] }])).toMatchObject({ refused: false, finished: true })
  })

  it('is measured as it grows, for providers that do not count', () => {
    const call = { tool_calls: [{ index: 0, function: { name: 'ab', arguments: '{}' } }] }
    expect(
      read('openai-chat', [{ choices: [{ delta: { content: 'abc' } }, { delta: call }, { delta: { reasoning_content: 'x' } }] }]).chars,
    ).toBe(8)
    const deltas = [
      { type: 'response.output_text.delta', delta: 'abc' },
      { type: 'response.output_text.done', text: 'abc' },
    ]
    expect(read('openai-responses', deltas).chars).toBe(3)
    expect(read('anthropic', [{ type: 'content_block_delta', delta: { type: 'input_json_delta', partial_json: '{"a"' } }]).chars).toBe(4)
    expect(read('google', [{ candidates: [{ content: { parts: [{ text: 'abc' }, { functionCall: { name: 'a' } }] } }] }]).chars).toBe(15)
  })

  it('may be a list, or nothing that can be read', () => {
    const tally = newTally()
    const tap = createTap(tally, 'google', 'application/json; charset=UTF-8')
    const list = '[{"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":1}},{"candidates":[{"finishReason":"STOP"}]}]'
    for (const byte of Buffer.from(list)) tap.add(Uint8Array.of(byte))
    tap.end()
    expect(tally).toMatchObject({ tokens: { input: 5, output: 1 }, finished: true })
    const broken = newTally()
    for (const type of ['application/json', 'text/event-stream', '']) {
      const it = createTap(broken, 'anthropic', type)
      it.add(Buffer.from('data: {"usage": \u0000\n\ndata: null\ndata: [[[1]]]\ndata: "x"\n<html>'))
      it.end()
    }
    expect(broken).toMatchObject({ tokens: null, finished: false, error: null })
  })

  it('is not held when a line of it does not end', () => {
    const tally = newTally()
    const tap = createTap(tally, 'anthropic', 'text/event-stream')
    const megabyte = Buffer.alloc(1_000_000, 'x')
    tap.add(Buffer.from('data: {"a":"'))
    for (let at = 0; at < 20; at++) tap.add(megabyte)
    tap.add(Buffer.from('"}\n\ndata: {"type":"message_stop"}\n\n'))
    tap.end()
    expect(tally).toMatchObject({ finished: true, chars: 0 })
  })
})
