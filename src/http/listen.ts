import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { getRequestListener, RequestError } from '@hono/node-server'
import { ReeveError } from '../core/errors.ts'
import { type Http, withSecurity } from './create.ts'
import type { Via } from './guard.ts'
import { problemFor, problemResponse } from './problem.ts'

export type Where = { socket: string } | { host: string; port: number; tls?: { cert: string; key: string } }

export interface Listening {
  /** The port that was got; 0 on a socket. */
  port: number
  /** Takes nothing new; answers at work may end, streams are cut after `graceMs`. */
  close(graceMs?: number): Promise<void>
}

/** Slow callers hold a connection no longer than this. Streams are answers and have no end. */
const SLOW = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 30_000,
  connectionsCheckingInterval: 5000,
  maxHeaderSize: 16 * 1024,
  maxHeaders: 100,
}
const URL_LIMIT = 8 * 1024
const CONNECTIONS = 2000

/**
 * Puts it on a socket or an address. node:http, because it shows what a `Request` hides: two `Host`s, an absolute address, HTTP/1.0; the adapter
 * of hono turns what is left into `Request` and `Response`, with the caller's leaving as the signal. Throws `address_taken`.
 */
export async function listen(http: Http, where: Where): Promise<Listening> {
  const via: Via = 'socket' in where ? 'socket' : 'tcp'
  const answer = getRequestListener(
    (request, env) => http.fetch(request, via, (env as { incoming: IncomingMessage }).incoming.socket.remoteAddress),
    { overrideGlobalObjects: false, hostname: 'localhost', errorHandler: (error) => withSecurity(problemResponse(asKnown(error))) },
  )
  const server = serverFor(where, (request, response) => {
    const refused = rawRefusal(request)
    if (refused !== null) return refuse(response, refused)
    void answer(request, response)
  })
  server.maxConnections = CONNECTIONS
  server.listen('socket' in where ? { path: where.socket } : { host: where.host, port: where.port, exclusive: true })
  await once(server, 'listening').catch((error: Error) => {
    throw taken(where, error)
  })
  const address = server.address()
  return { port: typeof address === 'string' ? 0 : (address as AddressInfo).port, close: (graceMs = 0) => close(server, graceMs) }
}

function serverFor(where: Where, listener: RequestListener): Server {
  const limits = { ...SLOW, requireHostHeader: false, insecureHTTPParser: false }
  const tls = 'tls' in where ? where.tls : undefined
  const server = tls === undefined ? createServer(limits, listener) : createTlsServer({ ...limits, ...tls }, listener)
  server.maxHeadersCount = SLOW.maxHeaders
  return server
}

function taken(where: Where, error: Error): ReeveError {
  const address = 'socket' in where ? where.socket : `${where.host}:${where.port}`
  return new ReeveError('address_taken', { address, problem: error.message }, { cause: error })
}

/** What the adapter cannot read as an address is nobody's name of this server; all else is ours. */
function asKnown(error: unknown): unknown {
  return error instanceof RequestError ? new ReeveError('misdirected', { problem: 'its host or its address cannot be read' }) : error
}

/** What must be seen in the request as it came. Null: nothing is odd. */
export function rawRefusal({
  rawHeaders,
  url = '',
  httpVersion,
}: Pick<IncomingMessage, 'rawHeaders' | 'url' | 'httpVersion'>): ReeveError | null {
  const names = rawHeaders.filter((_, at) => at % 2 === 0).map((it) => it.toLowerCase())
  const hosts = names.filter((it) => it === 'host').length
  if (hosts !== 1)
    return new ReeveError('misdirected', { problem: hosts === 0 ? `it names no host (HTTP/${httpVersion})` : 'it names two hosts' })
  if (!url.startsWith('/')) return new ReeveError('misdirected', { problem: 'its address is absolute; a path is wanted' })
  if (names.filter((it) => it === 'authorization').length > 1) return new ReeveError('refused_request', { problem: 'it sends two tokens' })
  if (url.length > URL_LIMIT) return new ReeveError('refused_request', { problem: `its address is longer than ${URL_LIMIT} bytes` })
  if (names.includes('upgrade') && /websocket/i.test(rawHeaders.join(' ')))
    return new ReeveError('refused_request', { problem: 'there are no web sockets here' })
  return null
}

function refuse(response: ServerResponse, error: ReeveError): void {
  response.writeHead(error.status, { 'content-type': 'application/problem+json', connection: 'close', 'x-content-type-options': 'nosniff' })
  response.end(`${JSON.stringify(problemFor(error))}\n`)
}

async function close(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  const cut = setTimeout(() => server.closeAllConnections(), graceMs)
  await closed
  clearTimeout(cut)
}
