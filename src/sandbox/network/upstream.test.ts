import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import { connect, createServer as createTcp, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Decision } from './decision.ts'
import { createProxy, type ProxyOptions } from './proxy.ts'
import { upstreamFrom } from './upstream.ts'

const target = (host: string, port = 443) => ({ host, port })

describe('the proxy of a network', () => {
  it('is named by the environment, in both cases', () => {
    const env = { HTTPS_PROXY: 'http://s.test:1', http_proxy: 'p.test:2', ALL_PROXY: 'http://a.test:3' }
    expect(upstreamFrom(env)(target('x.test'), true)?.href).toBe('http://s.test:1/')
    expect(upstreamFrom(env)(target('x.test'), false)?.href).toBe('http://p.test:2/')
    expect(upstreamFrom({ ALL_PROXY: 'http://a.test:3' })(target('x.test'), true)?.host).toBe('a.test:3')
    expect(upstreamFrom({})(target('x.test'), true)).toBeNull()
    expect(upstreamFrom({ HTTPS_PROXY: 'socks5://s.test:1' })(target('x.test'), true)).toBeNull()
  })

  it.each([
    ['*', 'x.test', true],
    ['x.test', 'x.test', true],
    ['x.test', 'a.x.test', true],
    ['.x.test', 'a.x.test', true],
    ['*.x.test', 'a.x.test', true],
    ['x.test', 'ax.test', false],
    ['X.TEST', 'x.test', true],
    ['x.test:443', 'x.test', true],
    ['x.test:80', 'x.test', false],
    ['localhost, 10.0.0.1', '10.0.0.1', true],
    ['y.test', 'x.test', false],
  ])('is left out by NO_PROXY=%s for %s: %s', (noProxy, host, direct) => {
    const chosen = upstreamFrom({ HTTPS_PROXY: 'http://s.test:1', NO_PROXY: noProxy })(target(host), true)
    expect(chosen === null).toBe(direct)
  })
})

type Seen = { url: string; authorization: string | undefined }

/** A proxy of a network, on loopback: joins every tunnel to one server. */
async function network(answer: number, to: number) {
  const seen: Seen[] = []
  const note = (request: IncomingMessage) => seen.push({ url: request.url ?? '', authorization: request.headers['proxy-authorization'] })
  const server = createServer((request, response) => {
    note(request)
    response.end('plain')
  })
  server.on('connect', (request, client: Socket) => {
    note(request)
    client.on('error', () => {})
    if (answer !== 200) return client.end(`HTTP/1.1 ${answer} No\r\n\r\n`)
    const out = connect({ port: to, host: '127.0.0.1', allowHalfOpen: true }, () => client.write('HTTP/1.1 200 OK\r\n\r\n'))
    out.on('error', () => {})
    return client.pipe(out).pipe(client)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return { port: (server.address() as { port: number }).port, seen }
}

async function behind(answer: number, options: Partial<ProxyOptions> = {}) {
  const heard: string[] = []
  const server = createTcp({ allowHalfOpen: true }, (client) => {
    client.on('data', (data) => heard.push(data.toString()))
    client.pipe(client)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const { port, seen } = await network(answer, (server.address() as { port: number }).port)
  const folder = await mkdtemp(join(tmpdir(), 'reeve-proxy-'))
  const decisions: Decision[] = []
  const url = `http://me:p%40ss@127.0.0.1:${port}`
  const proxy = await createProxy({
    allow: ['good.test', 'own.test']
      .map((host) => ({ host, port: 443, own: host === 'own.test' }))
      .concat({ host: 'own.test', port: 80, own: true }),
    socketPath: join(folder, 'p.sock'),
    onDecision: (it) => decisions.push(it),
    upstream: upstreamFrom({ HTTPS_PROXY: url, HTTP_PROXY: url }),
    lookup: () => Promise.reject(new Error('ENOTFOUND')),
    dial: () => {
      throw new Error('reached directly')
    },
    ...options,
  })
  onTestFinished(async () => {
    await proxy.close()
    await rm(folder, { recursive: true })
  })
  const ask = (text: string, end = true) =>
    new Promise<string>((resolve) => {
      let all = ''
      const client = connect({ path: proxy.socketPath, allowHalfOpen: true }, () => (end ? client.end(text) : client.write(text)))
      client.on('data', (data) => {
        all += data.toString()
      })
      client.on('error', () => {}).on('end', () => resolve(all))
    })
  return { ask, seen, heard, decisions }
}

const AUTHORIZATION = `Basic ${Buffer.from('me:p@ss').toString('base64')}`

describe('behind the proxy of a network', () => {
  it('allowed hosts are reached through it, and only it gets its password', async () => {
    const { ask, seen, heard, decisions } = await behind(200)
    const answer = await ask('CONNECT good.test:443 HTTP/1.1\r\nProxy-Authorization: Basic mine\r\n\r\nhello')
    expect(answer).toBe('HTTP/1.1 200 OK\r\n\r\nhello')
    expect(seen).toEqual([{ url: 'good.test:443', authorization: AUTHORIZATION }])
    expect(heard.join('')).toBe('hello')
    await expect.poll(() => decisions).toMatchObject([{ outcome: 'allowed', target: 'good.test:443', sent: 5, received: 5 }])
    expect(decisions[0]?.address).toMatch(/^proxy 127\.0\.0\.1:\d+$/)
    expect(JSON.stringify(decisions)).not.toMatch(/p@ss|p%40ss/)
  })

  it('other hosts are refused before it is asked', async () => {
    const { ask, seen } = await behind(200)
    expect(await ask('CONNECT evil.test:443 HTTP/1.1\r\n\r\n')).toMatch(/^HTTP\/1\.1 403 /)
    expect(seen).toEqual([])
  })

  it('a name that is known here to be private is refused too', async () => {
    const { ask, seen } = await behind(200, { lookup: async () => ['127.0.0.1'] })
    expect(await ask('CONNECT good.test:443 HTTP/1.1\r\n\r\n')).toMatch(/X-Reeve: private-address/)
    expect(seen).toEqual([])
  })

  it('its refusal is passed on as a failure', async () => {
    const { ask, decisions } = await behind(407)
    expect(await ask('CONNECT good.test:443 HTTP/1.1\r\n\r\n')).toMatch(/^HTTP\/1\.1 502 /)
    expect(decisions[0]?.sentence).toBe('reeve: the proxy of this machine did not connect to good.test:443: it answered 407')
  })

  it('plain requests to hosts of the user are sent in its form', async () => {
    const { ask, seen } = await behind(200)
    expect(await ask('GET http://own.test/x HTTP/1.1\r\nHost: own.test\r\nConnection: close\r\n\r\n', false)).toMatch(/plain$/)
    expect(seen).toEqual([{ url: 'http://own.test/x', authorization: AUTHORIZATION }])
  })
})
