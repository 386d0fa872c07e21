import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { temporaryFolder } from '../../test/support/folder.ts'
import { streamingGateway, testHttp } from '../../test/support/http.ts'
import { hostNames } from './guard.ts'
import { listen } from './listen.ts'

async function listening() {
  const at = { port: 0 }
  const it = testHttp({ hosts: () => hostNames({ host: '127.0.0.1', port: at.port, hosts: [] }) })
  const server = await listen(it.http, { host: '127.0.0.1', port: 0 })
  onTestFinished(() => server.close())
  at.port = server.port
  return { port: server.port, host: `127.0.0.1:${server.port}`, server }
}

/** What the server says to these bytes, up to the end of the connection. */
async function said(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(text)
  let answer = ''
  socket.setEncoding('utf8').on('data', (it: string) => {
    answer += it
  })
  await once(socket, 'close')
  return answer
}

const status = (answer: string) => answer.split('\r\n')[0]
const AUTH = 'Authorization: Bearer own\r\nConnection: close\r\n'

describe('over TCP', () => {
  it.each([
    ['two hosts', (host: string) => `GET /health HTTP/1.1\r\nHost: ${host}\r\nHost: evil.example\r\n`, '421 Misdirected Request'],
    ['an absolute address', (host: string) => `GET http://${host}/health HTTP/1.1\r\nHost: ${host}\r\n`, '421 Misdirected Request'],
    ['HTTP/1.0 without a host', () => 'GET /health HTTP/1.0\r\n', '421 Misdirected Request'],
    ['HTTP/1.1 without a host', () => 'GET /health HTTP/1.1\r\n', '421 Misdirected Request'],
    ['a host that is none', () => 'GET /health HTTP/1.1\r\nHost: e vil@[x\r\n', '421 Misdirected Request'],
    [
      'a web socket from elsewhere',
      (host: string) =>
        `GET /api/v1/events HTTP/1.1\r\nHost: ${host}\r\nOrigin: http://evil\r\nUpgrade: websocket\r\nConnection: upgrade\r\n`,
      '403 Forbidden',
    ],
    [
      'a web socket of our own',
      (host: string) => `GET /api/v1/events HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: upgrade\r\n`,
      '403 Forbidden',
    ],
    [
      'headers without end',
      (host: string) => `GET /health HTTP/1.1\r\nHost: ${host}\r\nX: ${'x'.repeat(20_000)}\r\n`,
      '431 Request Header Fields Too Large',
    ],
    [
      'two lengths',
      (host: string) => `POST /api/v1/runs HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n`,
      '400 Bad Request',
    ],
    ['a proxy request', () => 'CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n', undefined],
  ])('%s is refused', async (_, request, expected) => {
    const { port, host } = await listening()
    const answer = await said(port, `${request(host)}${AUTH}\r\n`)
    expect(status(answer)).toBe(expected === undefined ? '' : `HTTP/1.1 ${expected}`)
  })

  it('a right request is answered, and the one behind it on the same connection', async () => {
    const { port, host } = await listening()
    const one = `GET /health HTTP/1.1\r\nHost: ${host}\r\n\r\n`
    const answer = await said(port, `${one}GET /api/v1/runs?all=true HTTP/1.1\r\nHost: ${host}\r\n${AUTH}\r\n`)
    expect(answer.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2)
    expect(answer).toContain('{"runs":[],"next":null}')
  })

  it('a body longer than allowed is refused without being read', async () => {
    const { port, host } = await listening()
    const answer = await said(
      port,
      `POST /api/v1/runs/x/cancel HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n${AUTH}\r\n{`,
    )
    expect(status(answer)).toBe('HTTP/1.1 413 Payload Too Large')
  })

  it('a defect of ours is said to be one', async () => {
    const server = await listen({ fetch: () => Promise.reject(new Error('the store is gone')) }, { host: '127.0.0.1', port: 0 })
    onTestFinished(() => server.close())
    const answer = await said(server.port, `GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`)
    expect(status(answer)).toBe('HTTP/1.1 500 Internal Server Error')
    expect(answer).toContain('"code":"internal"')
  })

  it('an address that is taken is said', async () => {
    const { port } = await listening()
    const { http } = testHttp()
    await expect(listen(http, { host: '127.0.0.1', port })).rejects.toThrow(`The address 127.0.0.1:${port} cannot be listened on`)
  })

  it('closing takes nothing new and cuts what is open', async () => {
    const { port, host, server } = await listening()
    const socket = connect(port, '127.0.0.1')
    socket.write(`GET /api/v1/events?follow=true&all=true HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer own\r\n\r\n`)
    await once(socket, 'data')
    const closed = once(socket, 'close')
    await server.close(10)
    await closed
    await expect(said(port, '')).rejects.toThrow('ECONNREFUSED')
  })
})

it('a reader that takes nothing is not read ahead for: what waits is what the system keeps for a connection', async () => {
  const text = 'x'.repeat(10_000)
  let made = 0
  const gateway = streamingGateway(async function* () {
    for (;;) yield { run: 'r', seq: ++made, ts: 0, type: 'run.queued', data: { text } }
  })
  const { http } = testHttp({ gateway })
  const socket = join(temporaryFolder('reeve-listen-'), 's')
  const server = await listen(http, { socket })
  onTestFinished(() => server.close())
  const reader = connect(socket)
  reader.pause()
  reader.write('GET /api/v1/runs/r/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer own\r\n\r\n')
  let before = -1
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    // It makes no more.
    if (made > 0 && made === before) break
    before = made
  }
  reader.destroy()
  expect(made * text.length).toBeLessThan(16 * 1024 * 1024)
})

it('a socket in a folder that is not there is said', async () => {
  const { http } = testHttp()
  await expect(listen(http, { socket: `${temporaryFolder('reeve-listen-')}/none/s` })).rejects.toMatchObject({ code: 'address_taken' })
})
