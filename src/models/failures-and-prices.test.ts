import { describe, expect, it } from 'vitest'
import { classify } from './classify.ts'
import { headersFor } from './headers.ts'
import { retryAfterMs } from './retry-after.ts'

describe('retry-after', () => {
  const now = Date.UTC(2030, 0, 1, 12, 0, 0)
  const table: [headers: Record<string, string> | undefined, ms: number | null][] = [
    [undefined, null],
    [{}, null],
    [{ 'retry-after': '3' }, 3000],
    [{ 'retry-after': ' 0.5 ' }, 500],
    [{ 'retry-after': '-1' }, null],
    [{ 'retry-after': 'Tue, 01 Jan 2030 12:00:30 GMT' }, 30_000],
    [{ 'retry-after': 'Tue, 01 Jan 2030 11:00:00 GMT' }, 0],
    [{ 'retry-after': 'soon' }, null],
    [{ 'retry-after': '1e12' }, null],
    [{ 'retry-after': 'Infinity' }, null],
    [{ 'retry-after': 'Tue, 01 Jan 9999 11:00:00 GMT' }, null],
    [{ 'retry-after-ms': '1e300', 'retry-after': '9' }, 9000],
    [{ 'retry-after-ms': '1500', 'retry-after': '9' }, 1500],
    [{ 'anthropic-ratelimit-tokens-reset': '2030-01-01T12:00:40Z' }, 40_000],
    [{ 'anthropic-ratelimit-unified-reset': '1893499210' }, 10_000],
    [{ 'x-ratelimit-reset-requests': '1m30s', 'x-ratelimit-reset-tokens': '250ms' }, 250],
    [{ 'x-ratelimit-reset-requests': '8h0m0s', 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-tokens': '6s' }, 28_800_000],
    [{ 'x-ratelimit-reset-requests': '90' }, null],
    [{ 'retry-after': '3', 'x-ratelimit-reset-requests': '1m' }, 3000],
  ]
  it.each(table)('%o is %s ms', (headers, ms) => expect(retryAfterMs(headers, now)).toBe(ms))

  it('is read from the body where a maker puts it there', () => {
    expect(retryAfterMs({}, now, '{"@type": "RetryInfo", "retryDelay": "32.5s"}')).toBe(32_500)
  })
})

it('fills in the placeholders of headers that it knows, and leaves other words in braces as they are', () => {
  const origin = { run: 'r1', task: 't', step: 'implement', role: 'implementer', attempt: 2, turn: 0 }
  expect(headersFor({ x: '{run}/{attempt} {constructor} {toString} {other}' }, origin)).toEqual({
    x: 'r1/2 {constructor} {toString} {other}',
  })
})

describe('the class of a failure', () => {
  const table: [thrown: object, expected: string, final: boolean][] = [
    [{ message: 'x', statusCode: 429, responseBody: '{"error":{"code":"insufficient_quota"}}' }, 'quota', true],
    [{ message: 'x', statusCode: 429 }, 'rate_limited', false],
    [{ message: 'x', statusCode: 402 }, 'quota', true],
    [{ message: 'fetch failed', cause: { code: 'ECONNREFUSED', message: 'connect' } }, 'network', false],
    [{ message: 'terminated', cause: { message: 'other side closed' } }, 'network', false],
    [{ message: 'The model is overloaded', type: 'overloaded_error' }, 'overloaded', false],
    [{ message: 'x', statusCode: 429, responseBody: 'You exceeded your current quota. { "retryDelay": "32s" }' }, 'rate_limited', false],
    [{ message: 'x', statusCode: 429, responseBody: 'insufficient_quota', responseHeaders: { 'retry-after': '86400' } }, 'quota', true],
    [{ message: 'Your credit balance is too low', statusCode: 400 }, 'quota', true],
    [{ message: 'x', statusCode: 500 }, 'server', false],
    [{ message: 'x', statusCode: 502 }, 'server', false],
    [{ message: 'x', statusCode: 408 }, 'overloaded', false],
    [{ message: 'x', statusCode: 501 }, 'config', true],
    [{ message: 'x', statusCode: 404 }, 'model', true],
    [{ message: 'The model `gpt-99` does not exist or you do not have access to it.', statusCode: 400 }, 'model', true],
    [{ message: "Unsupported value: 'temperature' is not supported with this model.", statusCode: 400 }, 'refused', true],
    [{ message: 'fetch failed', cause: { code: 'SELF_SIGNED_CERT_IN_CHAIN', message: 'self-signed certificate' } }, 'config', true],
    [{ message: 'Internal error', type: 'api_error' }, 'server', false],
    [{ message: 'You exceeded your current quota', code: 'insufficient_quota' }, 'quota', true],
    [{ message: 'RESOURCE_EXHAUSTED' }, 'rate_limited', false],
    [{ message: 'x', name: 'AI_JSONParseError' }, 'bad_output', false],
    [{ message: 'The input token count (300000) exceeds the maximum', statusCode: 400 }, 'context_too_long', true],
    [{ message: 'request (9000 tokens) exceeds the available context size', statusCode: 400 }, 'context_too_long', true],
    [{ message: 'gave up', lastError: { message: 'x', statusCode: 401 } }, 'auth', true],
    [{ message: 'a defect' }, 'crashed', false],
  ]
  it.each(table)('%o is %s', (thrown, expected, final) => expect(classify(thrown, 0)).toMatchObject({ class: expected, final }))
})
