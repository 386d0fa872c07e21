import { describe, expect, it } from 'vitest'
import type { ProviderErrorClass } from '../../models/port.ts'
import { classOf, declines, problemIn, waitIn } from './classify.ts'

/** Messages as the programs wrote them. */
const RECORDED: readonly [ProviderErrorClass, string][] = [
  ['auth', 'Failed to authenticate. API Error: 401 invalid api key'],
  ['auth', 'unexpected status 401 Unauthorized: invalid api key, url: http://127.0.0.1:9999/v1/responses'],
  ['auth', '{"error":{"code":401,"message":"invalid api key","status":"UNAUTHENTICATED","details":[]}}'],
  ['auth', 'Authentication failed with provider at http://127.0.0.1:9999/v1 (HTTP 401).\n  Check your COPILOT_PROVIDER_API_KEY'],
  ['auth', 'invalid api key'],
  ['auth', 'Not logged in · Please run /login'],
  ['quota', 'Quota exceeded. Check your plan and billing details.'],
  ['quota', '429 You exceeded your current quota, please check your plan and billing details.'],
  ['rate_limited', 'API Error: Request rejected (429) · Rate limit reached'],
  ['rate_limited', 'exceeded retry limit, last status: 429 Too Many Requests'],
  ['rate_limited', 'Rate limit reached\nSuggested retry after 2s.'],
  [
    'rate_limited',
    'Failed to get response from the AI model; retried 5 times (total retry wait time: 11.65 seconds) Last error: 429 Rate limit reached',
  ],
  ['overloaded', 'API Error: 529 Overloaded'],
  ['overloaded', 'Selected model is at capacity. Please try a different model.'],
  ['overloaded', "We're currently experiencing high demand, which may cause temporary errors."],
  ['server', 'API Error: 500 Internal server error'],
  ['network', 'API Error: Connection refused — a firewall or proxy may be blocking it (ECONNREFUSED)'],
  ['network', 'Cannot connect to API: Unable to connect. Is the computer able to access the url?'],
  ['network', 'Could not connect to local model provider at http://127.0.0.1:9999/v1.\n  Check that the service is running'],
  ['network', 'Reconnecting... waiting for network (Connection failed: error sending request)'],
  ['network', 'Connection error. (cause: connect ECONNREFUSED 127.0.0.1:9999)'],
  ['network', 'Connection error.'],
  ['network', 'exception TypeError: fetch failed sending request'],
  ['timeout', 'stream disconnected before completion: idle timeout waiting for SSE'],
  ['refused', "The response was blocked by the provider's content filter"],
  ['context_too_long', 'Prompt is too long · the request is ~250000 tokens (limit 200000) but this conversation is only ~2758 tokens'],
  ['context_too_long', "Codex ran out of room in the model's context window. Start a new thread or clear earlier history before retrying."],
  ['context_too_long', '400 prompt is too long: 250000 tokens > 200000 maximum'],
  [
    'context_too_long',
    'The provider rejected the prompt as too long, but automatic recovery could not reduce it. Reduce context before retrying.',
  ],
  ['model', 'model: no-such-model'],
  ['model', 'unexpected status 404 Not Found: The model `gpt-9` does not exist'],
  ['bad_output', 'stream disconnected before completion: Transport error: network error: error decoding response body'],
  ['bad_output', 'Unexpected token } in JSON at position 12'],
  ['config', 'Not inside a trusted directory and --skip-git-repo-check was not specified.'],
]

describe('the class of a message', () => {
  it.each(RECORDED)('%s: %s', (kind, message) => {
    expect(classOf(message)).toBe(kind)
  })

  it('is not read out of addresses', () => {
    expect(classOf('failed at https://api.example.com/v1/context/401/quota')).toBeNull()
  })

  it('says nothing of words that it does not know', () => {
    expect(classOf('something went wrong')).toBeNull()
    expect(classOf('')).toBeNull()
  })

  it('takes the status first, and looks at the words of a 429 for what was used up', () => {
    const of = (status: number, message = '') => classOf(message, status)
    expect([400, 401, 403, 404, 408, 413, 429, 500, 502, 503, 529].map((it) => of(it))).toEqual([
      null,
      'auth',
      'auth',
      'model',
      'timeout',
      'context_too_long',
      'rate_limited',
      'server',
      'server',
      'overloaded',
      'overloaded',
    ])
    expect(of(429, 'You exceeded your current quota')).toBe('quota')
    expect(of(402)).toBe('quota')
    expect(of(400, 'prompt is too long: 250000 tokens > 200000 maximum')).toBe('context_too_long')
    expect(of(500, 'Rate limit reached')).toBe('server')
  })

  it('looks at the beginning of long messages only', () => {
    expect(classOf(`${'x'.repeat(10_000)} 401`)).toBeNull()
    expect(problemIn(`a\n  b${'x'.repeat(1000)}`)).toMatch(/^a b.{397}…$/)
  })
})

describe('how long to wait', () => {
  it('is read in the units that programs use', () => {
    const told = [
      'Suggested retry after 2s.',
      'Please try again in 1.5 minutes',
      'Retrying after 5035ms...',
      'try again in 20 seconds.',
      'later',
    ]
    expect(told.map(waitIn)).toEqual([2000, 90_000, 5035, 20_000, undefined])
  })
})

describe('a model that declines', () => {
  it('is known by its words', () => {
    expect(['I cannot help with that.', "I'm sorry, but I can't assist with this", 'I am unable to comply'].map(declines)).toEqual([
      true,
      true,
      true,
    ])
    expect(['Done.', 'The test cannot fail now.', 'I could not find the file.'].map(declines)).toEqual([false, false, false])
  })
})
