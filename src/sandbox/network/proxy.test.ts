import { mkdtemp, rm, stat } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import type { Decision } from './decision.ts'
import { createProxy, type Proxy, type ProxyOptions } from './proxy.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).toReversed()) await clean()
})

type Stage = { proxy: Proxy; decisions: Decision[]; dialled: string[]; ask: (text: string) => Promise<string>; folder: string }

const NAMES: Readonly<Record<string, string[]>> = {
  'good.test': ['203.0.113.5'],
  'loop.test': ['127.0.0.1'],
  'meta.test': ['169.254.169.254'],
  'lan.test': ['10.1.2.3'],
  'six.test': ['::ffff:127.0.0.1'],
  'tunnel.test': ['2002:7f00:1::'],
  'mixed.test': ['203.0.113.5', '192.168.0.1'],
  'own.test': ['10.1.2.3'],
  'own-meta.test': ['169.254.169.254'],
}

function tcp(onClient: (client: Socket) => void): Promise<number> {
  const server: Server = createServer({ allowHalfOpen: true }, onClient)
  cleanups.push(() => server.close())
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)))
}

async function stage(options: Partial<ProxyOptions> = {}, port?: number): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'reeve-proxy-'))
  const target = port ?? (await tcp((client) => client.pipe(client)))
  const decisions: Decision[] = []
  const dialled: string[] = []
  const proxy = await createProxy({
    allow: Object.keys(NAMES).map((host) => ({ host, port: 443, own: host.startsWith('own') })),
    socketPath: join(folder, 'p.sock'),
    onDecision: (it) => decisions.push(it),
    lookup: async (name) => NAMES[name] ?? Promise.reject(new Error('ENOTFOUND')),
    dial: (address, port) => {
      dialled.push(`${address}:${port}`)
      return connect({ port: target, host: '127.0.0.1', allowHalfOpen: true })
    },
    ...options,
  })
  cleanups.push(async () => {
    await proxy.close()
    await rm(folder, { recursive: true })
  })
  return { proxy, decisions, dialled, folder, ask: (text) => ask(proxy.socketPath, text) }
}

/** Sends text, and ends after a CONNECT; resolves to all that came back. */
function ask(socketPath: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const client = connect({ path: socketPath, allowHalfOpen: true }, () =>
      text.startsWith('GET') ? client.write(text) : client.end(text),
    )
    client.on('data', (data) => {
      answer += data.toString('latin1')
    })
    client.on('error', reject)
    client.on('end', () => resolve(answer))
  })
}

const toConnect = (target: string, body = '') => `CONNECT ${target} HTTP/1.1\r\nHost: x\r\n\r\n${body}`
const reasonOf = (answer: string) => `${answer.split(' ')[1]} ${/x-reeve: (\S+)/i.exec(answer)?.[1] ?? ''}`.trim()

describe('the allow-listing proxy', () => {
  it.each([
    ['an allowed host', 'good.test:443', '200'],
    ['an allowed host in capitals', 'GOOD.test:443', '200'],
    ['another port', 'good.test:22', '403 not-allowed'],
    ['another host', 'evil.test:443', '403 not-allowed'],
    ['an allowed name in front of another one', 'good.test.evil.test:443', '403 not-allowed'],
    ['a dot at the end', 'good.test.:443', '403 bad-hostname'],
    ['a NUL in the name', 'evil.test\0.good.test:443', '400 malformed'],
    ['a user part', 'user@good.test:443', '403 bad-hostname'],
    ['an address in hexadecimal', '0x7f.1:443', '403 bad-hostname'],
    ['an address as one number', '2130706433:443', '403 bad-hostname'],
    ['an IPv4 address', '127.0.0.1:443', '403 bad-hostname'],
    ['an IPv6 address', '[::ffff:127.0.0.1]:443', '403 bad-hostname'],
    ['an escaped name', 'good%2etest:443', '403 bad-hostname'],
    ['no port', 'good.test', '400 malformed'],
    ['port 0', 'good.test:0', '400 malformed'],
    ['a port that is too large', 'good.test:65979', '400 malformed'],
    ['a name that is this machine', 'loop.test:443', '403 private-address'],
    ['a name that is the metadata service', 'meta.test:443', '403 private-address'],
    ['a name in the local network', 'lan.test:443', '403 private-address'],
    ['a name that is a mapped address', 'six.test:443', '403 private-address'],
    ['a name that is a tunnelled address', 'tunnel.test:443', '403 private-address'],
    ['a name with one private address of two', 'mixed.test:443', '403 private-address'],
    ['a host of the user in the local network', 'own.test:443', '200'],
    ['a host of the user that is the metadata service', 'own-meta.test:443', '403 private-address'],
  ])('answers to %s: %s -> %s', async (_, target, expected) => {
    const { ask, decisions, dialled } = await stage()
    expect(reasonOf(await ask(toConnect(target)))).toBe(expected)
    await expect.poll(() => decisions.length).toBe(1)
    expect(decisions[0]?.outcome).toBe(expected === '200' ? 'allowed' : 'refused')
    expect(dialled).toHaveLength(expected === '200' ? 1 : 0)
  })

  it('tells the program and the event the same sentence, in the first line of the answer', async () => {
    const { ask, decisions } = await stage({ allow: [{ host: 'good.test', port: 443, own: false }] })
    const answer = await ask(toConnect('evil.test:443'))
    const sentence = 'reeve: evil.test:443 is not among the hosts this command may reach (good.test:443)'
    expect(answer.split('\r\n')[0]).toBe(`HTTP/1.1 403 ${sentence}`)
    expect(answer.split('\r\n\r\n')[1]).toBe(`${sentence}\n`)
    expect(decisions).toMatchObject([{ outcome: 'refused', target: 'evil.test:443', reason: 'not-allowed', sentence }])
  })

  it('refuses plain requests, but not to hosts of the user', async () => {
    const port = await tcp((client) => client.once('data', () => client.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: b\r\n\r\nhi')))
    const allow = [
      { host: 'good.test', port: 80, own: false },
      { host: 'own.test', port: 8081, own: true },
    ]
    const { ask, decisions, dialled } = await stage({ allow }, port)
    const get = (url: string) =>
      `GET ${url} HTTP/1.1\r\nHost: elsewhere.test\r\nProxy-Authorization: Basic eA==\r\nConnection: close\r\n\r\n`
    expect(reasonOf(await ask(get('http://good.test/')))).toBe('403 plain-http')
    expect(reasonOf(await ask(get('http://evil.test/')))).toBe('403 not-allowed')
    expect(reasonOf(await ask(get('/')))).toBe('400 malformed')
    expect(reasonOf(await ask(get('http://user:secret@own.test:8081/')))).toBe('400 malformed')
    const answer = await ask(get('http://own.test:8081/x?y=1'))
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*X-A: b\r\n[^]*hi$/)
    expect(dialled).toEqual(['10.1.2.3:8081'])
    await expect.poll(() => decisions.at(-1)).toMatchObject({ outcome: 'allowed', target: 'own.test:8081', address: '10.1.2.3' })
    expect(decisions.at(-1)?.received).toBeGreaterThan(40)
  })

  it('sends plain requests on with the host of the address line, not the one the header claims', async () => {
    let seen = ''
    const port = await tcp((client) =>
      client.once('data', (data) => {
        seen = data.toString()
        client.end('HTTP/1.1 204 No Content\r\n\r\n')
      }),
    )
    const { ask } = await stage({ allow: [{ host: 'own.test', port: 80, own: true }] }, port)
    await ask('GET http://own.test/ HTTP/1.1\r\nHost: inner.test\r\nProxy-Authorization: Basic eA==\r\nConnection: close\r\n\r\n')
    expect(seen).toMatch(/Host: own\.test\r\n/)
    expect(seen).not.toMatch(/inner\.test|Proxy-Authorization/i)
  })

  it('connects to the address it has checked when the name changes in between', async () => {
    let asked = 0
    const lookup = async () => (asked++ === 0 ? ['203.0.113.5'] : ['127.0.0.1'])
    const { ask, dialled } = await stage({ lookup })
    await ask(toConnect('good.test:443'))
    expect(dialled).toEqual(['203.0.113.5:443'])
    expect(asked).toBe(1)
  })

  it('says which hosts could not be found or reached', async () => {
    const allow = ['gone.test', 'good.test'].map((host) => ({ host, port: 443, own: false }))
    const { ask, decisions } = await stage({ allow, dial: () => connect({ port: 1, host: '127.0.0.1' }) })
    expect(reasonOf(await ask(toConnect('gone.test:443')))).toBe('502 dns')
    expect(reasonOf(await ask(toConnect('good.test:443')))).toBe('502 unreachable')
    expect(decisions.map((it) => `${it.outcome} ${it.sentence}`)).toEqual([
      'failed reeve: the name gone.test:443 was not found',
      'failed reeve: good.test:443 could not be reached: ECONNREFUSED',
    ])
  })

  it('tries the next address of a name when the first is down', async () => {
    const echo = await tcp((client) => client.pipe(client))
    const { ask, decisions } = await stage({
      lookup: async () => ['2001:4860::1', '203.0.113.5'],
      dial: (address) => connect({ port: address.includes(':') ? 1 : echo, host: '127.0.0.1', allowHalfOpen: true }),
    })
    expect(await ask(toConnect('good.test:443', 'hello'))).toMatch(/hello$/)
    await expect.poll(() => decisions[0]?.address).toBe('203.0.113.5')
  })

  it('lets either side end first, and counts the bytes', async () => {
    const port = await tcp((client) => {
      let got = 0
      client.on('data', (data) => (got += data.length))
      client.on('end', () => client.end(`got ${got}`)) // answers only after the other side has ended
    })
    const { ask, decisions } = await stage({}, port)
    expect(await ask(toConnect('good.test:443', 'x'.repeat(1000)))).toBe('HTTP/1.1 200 OK\r\n\r\ngot 1000')
    await expect.poll(() => decisions[0]).toMatchObject({ outcome: 'allowed', sent: 1000, received: 8 })
  })

  it('carries a hundred connections at once, each with a megabyte both ways', async () => {
    const { proxy, decisions } = await stage()
    const big = 'y'.repeat(1024 * 1024)
    const answers = await Promise.all(Array.from({ length: 100 }, () => ask(proxy.socketPath, toConnect('good.test:443', big))))
    expect(answers.every((it) => it.length === 'HTTP/1.1 200 OK\r\n\r\n'.length + big.length)).toBe(true)
    await expect.poll(() => decisions.filter((it) => it.sent === big.length && it.received === big.length).length).toBe(100)
  })

  it('refuses more connections than its limit', async () => {
    const { proxy, decisions } = await stage({ limits: { connections: 2 } })
    const held = await Promise.all(
      [1, 2].map(() => {
        const { promise, resolve } = Promise.withResolvers<Socket>()
        const client = connect(proxy.socketPath, () => client.write(toConnect('good.test:443')))
        client.once('data', () => resolve(client))
        return promise
      }),
    )
    expect(await ask(proxy.socketPath, toConnect('good.test:443')).catch(() => '')).toBe('')
    expect(decisions).toMatchObject([{ outcome: 'refused', reason: 'too-many-connections' }])
    for (const client of held) client.destroy()
  })

  it('reports no more refusals than its limit, and every connection that was allowed', async () => {
    const { ask, decisions } = await stage({ limits: { refusals: 3 } })
    for (let at = 0; at < 10; at++) expect(reasonOf(await ask(toConnect(`evil${at}.test:443`)))).toBe('403 not-allowed')
    await ask(toConnect('good.test:443'))
    await expect.poll(() => decisions.map((it) => it.outcome)).toEqual(['refused', 'refused', 'refused', 'allowed'])
  })

  it('ends a request that comes drop by drop, one that says nothing, and one with a head without end', async () => {
    const { proxy, decisions, ask } = await stage({ limits: { headMs: 200, headBytes: 2048 } })
    const slow = connect(proxy.socketPath, () => slow.write('CONNECT good.test:443 HTTP/1.1\r\n'))
    const drops = setInterval(() => slow.write('X'), 20)
    const silent = connect(proxy.socketPath)
    const ended = (client: Socket) =>
      new Promise((resolve) =>
        client
          .on('error', () => {})
          .once('close', resolve)
          .resume(),
      )
    await Promise.all([ended(slow), ended(silent)])
    clearInterval(drops)
    expect(decisions.map((it) => it.reason)).toEqual(['too-slow', 'too-slow'])
    expect(reasonOf(await ask(`CONNECT good.test:443 HTTP/1.1\r\nX: ${'x'.repeat(4000)}\r\n\r\n`))).toBe('431 too-large')
  })

  it('ends a connection on which nothing moves', async () => {
    const { proxy, decisions } = await stage({ limits: { idleMs: 50 } })
    const client = connect(proxy.socketPath, () => client.write(toConnect('good.test:443')))
    await new Promise((resolve) => client.resume().once('close', resolve))
    await expect.poll(() => decisions[0]?.outcome).toBe('allowed')
  })

  it('gives up a host that does not answer', async () => {
    const never = { limits: { connectMs: 50 }, lookup: () => new Promise<string[]>(() => {}) }
    expect(reasonOf(await (await stage(never)).ask(toConnect('good.test:443')))).toBe('502 dns')
  })

  it('goes on when a program inside breaks off', async () => {
    const { proxy, ask } = await stage()
    for (let at = 0; at < 20; at++) {
      const client = connect(proxy.socketPath, () => {
        client.write(toConnect('good.test:443', 'x'))
        setTimeout(() => client.destroy(), at % 5)
      })
      client.on('error', () => {})
    }
    await delay(50)
    expect(await ask(toConnect('good.test:443', 'hello'))).toMatch(/hello$/)
  })

  it('listens on a socket of this user alone, and leaves nothing when it is closed', async () => {
    const { proxy, decisions } = await stage()
    expect((await stat(proxy.socketPath)).mode & 0o777).toBe(0o600)
    expect((await stat(join(proxy.socketPath, '..'))).mode & 0o777).toBe(0o700)
    const client = connect(proxy.socketPath, () => client.write(toConnect('good.test:443')))
    await new Promise((resolve) => client.once('data', resolve))
    const broken = new Promise((resolve) => client.on('error', () => {}).once('close', resolve))
    await proxy.close()
    await broken
    expect(decisions).toHaveLength(1)
    await expect(stat(proxy.socketPath)).rejects.toThrow('ENOENT')
  })

  it('does not listen in a folder others may enter, and not at a path that is too long', async () => {
    const make = (socketPath: string) => createProxy({ allow: [], socketPath, onDecision: () => {} })
    await expect(make('/tmp/reeve-open.sock')).rejects.toThrow(/its folder must be yours and closed to others/)
    await expect(make(join(tmpdir(), 'x'.repeat(120), 'p.sock'))).rejects.toThrow(/a socket's path has 103 bytes at most/)
  })
})
