import { once } from 'node:events'
import { createServer as createPlain, request as httpRequest, type IncomingMessage } from 'node:http'
import { createServer as createSecure } from 'node:https'
import { type AddressInfo, connect, type Server } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { selfSigned } from '../../test/support/certificate.ts'
import { temporaryFolder, writeFiles } from '../../test/support/folder.ts'
import { settingsSchema } from '../core/settings.ts'
import { classify } from './classify.ts'
import { fetchFor, type NetworkSettings } from './network.ts'
import { hasProxy, proxyFor } from './proxy-choice.ts'

function network(over: Partial<NetworkSettings> = {}): NetworkSettings {
  return settingsSchema.parse({ network: over }).network
}

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

/** A server that says what it was asked. */
async function said(): Promise<{ port: number; connections: () => number }> {
  let connections = 0
  const server = createPlain((incoming, outgoing) => outgoing.end(`${incoming.method} ${incoming.url}`))
  server.on('connection', () => (connections += 1))
  return { port: await listening(server), connections: () => connections }
}

/** A proxy that leads everything to one port of this machine, whatever host was asked for, and notes what it was asked. */
async function proxyTo(port: number, refuse = 0): Promise<{ url: string; asked: string[]; password: string | undefined }> {
  const state: { url: string; asked: string[]; password: string | undefined } = { url: '', asked: [], password: undefined }
  const note = (incoming: IncomingMessage) => {
    state.asked.push(`${incoming.method} ${incoming.url}`)
    state.password = incoming.headers['proxy-authorization']
  }
  const server = createPlain((incoming, outgoing) => {
    note(incoming)
    const { pathname } = new URL(incoming.url ?? '')
    incoming.pipe(httpRequest({ port, path: pathname, method: incoming.method }, (answer) => answer.pipe(outgoing)))
  })
  server.on('connect', (incoming, socket) => {
    note(incoming)
    if (refuse > 0) {
      socket.end(`HTTP/1.1 ${refuse} No\r\n\r\n`)
      return
    }
    socket.write('HTTP/1.1 200 OK\r\n\r\n')
    const there = connect(port, '127.0.0.1')
    socket.pipe(there).pipe(socket)
    for (const [one, other] of [
      [socket, there],
      [there, socket],
    ] as const)
      one.on('error', () => other.destroy())
  })
  state.url = `http://127.0.0.1:${await listening(server)}`
  return state
}

async function secure(): Promise<{ port: number; ca: string }> {
  const { key, cert } = selfSigned(['models.test', '127.0.0.1'])
  const server = createSecure({ key, cert }, (incoming, outgoing) => outgoing.end(`secure ${incoming.url}`))
  const folder = temporaryFolder()
  writeFiles(folder, { 'ca.pem': cert })
  return { port: await listening(server), ca: join(folder, 'ca.pem') }
}

async function textOf(fetching: typeof fetch, url: string): Promise<string> {
  return (await fetching(url)).text()
}

async function failure(doing: Promise<unknown>) {
  return doing.then(
    () => {
      throw new Error('it went well')
    },
    (error: unknown) => classify(error, 0),
  )
}

describe('the network of model APIs', () => {
  it('is plain where nothing is configured', async () => {
    expect(await fetchFor(network(), {})).toBe(fetch)
    expect(await fetchFor(undefined, { PATH: '/bin' }, 45_000)).toBe(fetch)
    expect(await fetchFor(network(), {}, 600_000), 'longer than the plain one waits for headers').not.toBe(fetch)
  })

  it('goes through the configured proxy, with its password, and never for this machine itself', async () => {
    const server = await said()
    const proxy = await proxyTo(server.port)
    const fetching = await fetchFor(network({ proxy: proxy.url.replace('//', '//me:pa%20ss@') }), {})
    expect(await textOf(fetching, 'http://models.test/v1/models')).toBe('GET /v1/models')
    expect(proxy.asked).toEqual(['GET http://models.test/v1/models'])
    expect(proxy.password).toBe(`Basic ${Buffer.from('me:pa ss').toString('base64')}`)
    expect(await textOf(fetching, `http://127.0.0.1:${server.port}/direct`)).toBe('GET /direct')
    expect(proxy.asked).toHaveLength(1)
  })

  it('goes through the proxy of the environment, by a tunnel where it is TLS, and trusts the given authorities', async () => {
    const server = await secure()
    const proxy = await proxyTo(server.port)
    const env = { https_proxy: proxy.url, NO_PROXY: 'other.test' }
    const fetching = await fetchFor(network({ ca_bundle: server.ca }), env)
    expect(await textOf(fetching, 'https://models.test/x')).toBe('secure /x')
    expect(proxy.asked).toEqual(['CONNECT models.test:443'])
    const untrusting = await fetchFor(network(), env)
    expect(await failure(textOf(untrusting, 'https://models.test/x'))).toMatchObject({ class: 'config', final: true })
  })

  it('trusts the given authorities without a proxy too', async () => {
    const server = await secure()
    const url = `https://127.0.0.1:${server.port}/x`
    expect(await textOf(await fetchFor(network({ ca_bundle: server.ca }), {}), url)).toBe('secure /x')
    expect(await failure(fetch(url))).toMatchObject({ class: 'config', message: expect.stringMatching(/self-signed certificate/) })
  })

  it('says that it is the proxy who refuses', async () => {
    const proxy = await proxyTo(1, 407)
    const fetching = await fetchFor(network({ proxy: proxy.url }), {})
    expect(await failure(textOf(fetching, 'https://models.test/x'))).toMatchObject({
      class: 'config',
      message: expect.stringContaining('Proxy response (407)'),
    })
  })

  it('uses a connection again', async () => {
    const server = await said()
    for (const fetching of [await fetchFor(network(), {}), await fetchFor(network({ connect_timeout_seconds: 5 }), {})]) {
      const before = server.connections()
      for (let at = 0; at < 6; at++) await textOf(fetching, `http://127.0.0.1:${server.port}/${at}`)
      // A second one where a request came before the last answer was put away.
      expect(server.connections() - before).toBeLessThanOrEqual(2)
    }
  })

  it('refuses what cannot work, and names the setting', async () => {
    const folder = temporaryFolder()
    const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'
    writeFiles(folder, { 'empty.pem': 'nothing here\n', 'broken.pem': broken })
    const mistakes: [over: Partial<NetworkSettings>, problem: string][] = [
      [{ ca_bundle: 'ca.pem' }, 'network.ca_bundle: "ca.pem" is no absolute path'],
      [{ ca_bundle: '/nowhere/ca.pem' }, 'network.ca_bundle: "/nowhere/ca.pem" cannot be read: ENOENT'],
      [{ ca_bundle: join(folder, 'empty.pem') }, 'empty.pem" holds no certificate'],
      [{ ca_bundle: join(folder, 'broken.pem') }, 'broken.pem" is broken: certificate 1 cannot be read'],
      [{ proxy: 'socks5://127.0.0.1:1080' }, 'network.proxy: the address of a proxy begins with http:// or https://'],
    ]
    for (const [over, problem] of mistakes) {
      await expect(fetchFor(network(over), {})).rejects.toThrow(problem)
      await expect(fetchFor(network(over), {})).rejects.toMatchObject({ code: 'invalid_config' })
    }
  })
})

describe('the choice of a proxy', () => {
  const env = { HTTPS_PROXY: 'http://secure:1', HTTP_PROXY: 'plain:2', NO_PROXY: 'a.test, .b.test,c.test:8443 *.d.test' }
  const table: [address: string, over: Partial<NetworkSettings>, env: Record<string, string>, proxy: string | null][] = [
    ['https://x.test', {}, env, 'http://secure:1'],
    ['http://x.test', {}, env, 'http://plain:2'],
    ['https://x.test', { proxy: 'http://own:3' }, env, 'http://own:3'],
    ['https://x.test', {}, { ALL_PROXY: 'http://all:4' }, 'http://all:4'],
    ['https://x.test', {}, {}, null],
    ['https://x.test', {}, { ALL_PROXY: 'socks5://127.0.0.1:1080' }, null],
    ['https://a.test', {}, env, null],
    ['https://deep.a.test', {}, env, null],
    ['https://nota.test', {}, env, 'http://secure:1'],
    ['https://y.b.test', {}, env, null],
    ['https://c.test', {}, env, 'http://secure:1'],
    ['https://c.test:8443', {}, env, null],
    ['https://y.d.test', {}, env, null],
    ['https://x.test', { no_proxy: ['x.test'], proxy: 'http://own:3' }, {}, null],
    ['https://x.test', { no_proxy: ['*'], proxy: 'http://own:3' }, {}, null],
    ['http://localhost:1', { proxy: 'http://own:3' }, {}, null],
    ['http://[::1]:1', { proxy: 'http://own:3' }, {}, null],
    ['http://127.8.8.8', { proxy: 'http://own:3' }, {}, null],
  ]
  it.each(table)('%s with %j and %j is %s', (address, over, from, proxy) => {
    expect(proxyFor(new URL(address), network(over), from)).toBe(proxy)
  })

  it('is none at all where nothing names one', () => {
    expect(hasProxy(network(), { NO_PROXY: '*' })).toBe(false)
    expect(hasProxy(network(), { http_proxy: 'x' })).toBe(true)
  })
})
