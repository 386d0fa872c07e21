import { describe, expect, it } from 'vitest'
import { testHttp } from '../../test/support/http.ts'
import { hostNames } from './guard.ts'
import { rawRefusal } from './listen.ts'

const LIST = 'GET /api/v1/runs?all=true'

async function refusal(answer: Promise<Response>): Promise<string> {
  const response = await answer
  const { detail } = (await response.json()) as { detail?: string }
  return `${response.status} ${detail ?? ''}`
}

describe('a request from a browser', () => {
  it.each([
    [{ host: 'evil.example:7433' }, '421 The request is not for this server: "evil.example:7433" is not a name of it.'],
    [{ host: '127.0.0.1:9999' }, '421 The request is not for this server: "127.0.0.1:9999" is not a name of it.'],
    [{ host: '127.0.0.1' }, '421 The request is not for this server: "127.0.0.1" is not a name of it.'],
    [{ host: '' }, '421 The request is not for this server: it names no host.'],
    [{ origin: 'https://evil.example' }, '403 The request is refused: it comes from a page of "https://evil.example".'],
    [{ origin: 'null' }, '403 The request is refused: it comes from a page of nowhere.'],
    [{ origin: 'http://localhost:7433' }, '403 The request is refused: it comes from a page of "http://localhost:7433".'],
    [{ 'sec-fetch-site': 'cross-site' }, '403 The request is refused: a page of another site has made it.'],
    [{ 'sec-fetch-site': 'same-site' }, '403 The request is refused: a page of another site has made it.'],
  ])('is refused with %j, whoever has signed it', async (headers, expected) => {
    const { ask } = testHttp()
    expect(await refusal(ask(LIST, undefined, { headers }))).toBe(expected)
    expect(await refusal(ask('GET /health', undefined, { headers, token: null }))).toBe(expected)
  })

  it.each([
    { origin: 'http://127.0.0.1:7433' },
    { 'sec-fetch-site': 'same-origin' },
    { 'sec-fetch-site': 'none' },
    { host: 'LOCALHOST:7433' },
  ])('is taken with %j', async (headers) => {
    const { ask } = testHttp()
    expect((await ask(LIST, undefined, { headers })).status).toBe(200)
  })

  it('is never told that another site may read the answer', async () => {
    const { ask } = testHttp()
    for (const answer of [
      await ask(LIST),
      await ask(LIST, undefined, { headers: { origin: 'null' } }),
      await ask('OPTIONS /api/v1/runs'),
    ]) {
      expect([...answer.headers.keys()].filter((it) => it.startsWith('access-control'))).toEqual([])
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
      expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'")
    }
  })
})

describe('a request without a right token', () => {
  it.each([null, '', 'wrong', 'own '])('is refused: %j', async (token) => {
    const { ask } = testHttp({ authenticate: async (it) => (it === 'Bearer right' ? null : null) })
    for (const via of ['tcp', 'socket'] as const) {
      const answer = await ask(LIST, undefined, { token, via })
      expect(answer.status).toBe(401)
      expect(answer.headers.get('www-authenticate')).toBe('Bearer')
    }
  })

  it('finds no token in the address, and the log holds no query', async () => {
    const { ask, log } = testHttp()
    const answer = await ask('GET /api/v1/runs?token=own&access_token=own', undefined, { token: null })
    expect(answer.status).toBe(401)
    expect((await ask('GET /api/v1/runs?all=true&token=own')).status).toBe(400)
    expect(JSON.stringify(log)).not.toContain('token')
  })

  it('reads the health and the documents all the same', async () => {
    const { ask } = testHttp()
    for (const path of ['/health', '/ready', '/api', '/api/v1/openapi.json']) {
      expect([path, (await ask(`GET ${path}`, undefined, { token: null })).status]).toEqual([path, 200])
    }
    for (const path of ['/metrics', '/mcp', '/nothing', '/api/', '/api/v1/runs']) {
      expect([path, (await ask(`GET ${path}`, undefined, { token: null })).status]).toEqual([path, 401])
    }
  })
})

describe('what only the raw request shows', () => {
  const raw = (url: string, ...rawHeaders: string[]) => rawRefusal({ rawHeaders, url, httpVersion: '1.1' })?.message

  it.each([
    ['two hosts', raw('/', 'Host', 'localhost', 'host', 'evil'), 'The request is not for this server: it names two hosts.'],
    ['no host', raw('/'), 'The request is not for this server: it names no host (HTTP/1.1).'],
    [
      'an absolute address',
      raw('http://evil/', 'Host', 'a'),
      'The request is not for this server: its address is absolute; a path is wanted.',
    ],
    ['an asterisk', raw('*', 'Host', 'a'), 'The request is not for this server: its address is absolute; a path is wanted.'],
    ['two tokens', raw('/', 'Host', 'a', 'Authorization', 'x', 'authorization', 'y'), 'The request is refused: it sends two tokens.'],
    ['a web socket', raw('/', 'Host', 'a', 'Upgrade', 'websocket'), 'The request is refused: there are no web sockets here.'],
    ['a long address', raw(`/${'x'.repeat(9000)}`, 'Host', 'a'), 'The request is refused: its address is longer than 8192 bytes.'],
  ])('%s is refused', (_, found, expected) => expect(found).toBe(expected))

  it('anything else is not', () => expect(raw('/a?b', 'Host', 'a', 'Accept', '*/*')).toBeUndefined())
})

it('knows itself by loopback names with its port, its address and the names it was given', () => {
  expect(hostNames({ host: '127.0.0.1', port: 80, hosts: [] })).toContain('[::1]:80')
  const names = hostNames({ host: '0.0.0.0', port: 7433, hosts: ['Build.example', 'proxy.example:443'] })
  expect(names).toEqual(['127.0.0.1:7433', 'localhost:7433', '[::1]:7433', 'build.example', 'build.example:7433', 'proxy.example:443'])
})
