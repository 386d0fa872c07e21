import { describe, expect, it } from 'vitest'
import { METER_DIALECTS } from './port.ts'
import { routeOf, upstreamUrl } from './route.ts'

describe('a path', () => {
  const paths: [method: string, path: string, kind: string][] = [
    ['POST', '/v1/messages', 'anthropic'],
    ['POST', '/messages', 'anthropic'],
    ['POST', '/v1/responses', 'openai-responses'],
    ['POST', '/v1/chat/completions', 'openai-chat'],
    ['POST', '/v1beta/models/gemini-2.5-pro:streamGenerateContent', 'google'],
    ['POST', '/v1beta/models/gemini-2.5-pro:generateContent', 'google'],
    ['GET', '/v1/models', 'free'],
    ['GET', '/v1/models/m', 'free'],
    ['POST', '/v1/messages/count_tokens', 'free'],
    ['POST', '/v1beta/models/m:countTokens', 'free'],
    ['POST', '/v1/messages/batches', 'none'],
    ['POST', '/v1/models', 'none'],
    ['GET', '/v1/responses', 'none'],
    ['POST', '/v1/x/messages', 'none'],
    ['POST', '//v1/messages', 'none'],
    ['PUT', '/v1/messages', 'none'],
    ['POST', '/', 'none'],
    ['GET', '/v1/models/maker%2Fm', 'free'],
    ['GET', '/v1/models/..%2F..%2Fadmin', 'none'],
    ['POST', '/v1beta/models/..%2f..%2fkeys:generateContent', 'none'],
    ['POST', '/v1beta/models/%252e%252e%252fkeys:generateContent', 'none'],
    ['POST', '/v1beta/models/m%3Fkey:generateContent', 'none'],
    ['POST', '/v1beta/models/%5C..%5C:generateContent', 'none'],
    ['GET', '/v1/models/%', 'none'],
  ]
  it.each(paths)('%s %s is %s', (method, path, kind) => {
    const route = routeOf(method, path, METER_DIALECTS)
    expect(route.kind === 'model' ? route.dialect : route.kind).toBe(kind)
  })

  it('names the model in one of the dialects', () => {
    expect(routeOf('POST', '/v1beta/models/gemini-2.5-pro:generateContent', METER_DIALECTS)).toMatchObject({ model: 'gemini-2.5-pro' })
  })

  it('is put behind the address of the provider, whose version counts', () => {
    const at = (base: string, path: string) => upstreamUrl(base, path, new URLSearchParams())
    expect(at('https://api.example', '/v1/messages')).toBe('https://api.example/v1/messages')
    expect(at('https://api.example/v1/', '/v1/messages')).toBe('https://api.example/v1/messages')
    expect(at('https://api.example/v1', '/messages')).toBe('https://api.example/v1/messages')
    expect(at('https://api.example', '/responses')).toBe('https://api.example/v1/responses')
    expect(at('https://api.example/openai/v4', '/v1/chat/completions')).toBe('https://api.example/openai/v4/chat/completions')
    expect(at('https://api.example', '/v1beta/models/m:generateContent')).toBe('https://api.example/v1beta/models/m:generateContent')
    expect(upstreamUrl('https://api.example', '/v1/messages', new URLSearchParams('beta=true'))).toBe(
      'https://api.example/v1/messages?beta=true',
    )
  })
})
