import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { finished } from 'node:stream/promises'
import type { Bytes } from './tunnel.ts'
import { proxyAuthorization } from './upstream.ts'
import type { Way } from './way.ts'

/** Headers that are about one connection, not about the request. */
const OF_THE_CONNECTION = new Set(
  'connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer upgrade host'.split(' '),
)

function passedOn(headers: readonly string[]): string[] {
  const pairs = headers.flatMap((name, at) => (at % 2 === 0 ? [[name, headers[at + 1] ?? ''] as const] : []))
  return pairs.filter(([name]) => !OF_THE_CONNECTION.has(name.toLowerCase())).flat()
}

/** Sends a plain request on over an open way and its answer back. Resolves to the bytes of both; rejects when the way breaks. */
export async function forward(request: IncomingMessage, response: ServerResponse, url: URL, way: Way, idleMs: number): Promise<Bytes> {
  const { socket } = way
  const headers = [...passedOn(request.rawHeaders), 'Host', url.host, 'Connection', 'close']
  if (way.proxy) headers.push(...Object.entries(proxyAuthorization(way.proxy)).flat())
  const outgoing = httpRequest({
    method: request.method,
    path: way.proxy ? url.href : `${url.pathname}${url.search}`,
    headers,
    createConnection: () => socket,
    timeout: idleMs,
  })
  outgoing.once('timeout', () => outgoing.destroy(new Error(`silent for ${idleMs / 1000} s`)))
  response.once('close', () => outgoing.destroy())
  request.pipe(outgoing)
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  outgoing.once('response', resolve)
  outgoing.on('error', reject)
  try {
    const answer = await promise
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage ?? '', passedOn(answer.rawHeaders))
    answer.on('error', () => response.destroy())
    answer.pipe(response)
    await finished(response)
  } finally {
    socket.destroy()
  }
  return { sent: socket.bytesWritten, received: socket.bytesRead }
}
