import { chmod, lstat, mkdir, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { dirname } from 'node:path'
import { problemOf, ReeveError } from '../../core/errors.ts'
import type { AllowedHost } from '../port.ts'
import type { Decision } from './decision.ts'
import { forward } from './forward.ts'
import { plain, REASONS, type Reason, sentenceOf } from './reasons.ts'
import { keyOf, permitted, readTarget, type Target } from './target.ts'
import { type Bytes, join } from './tunnel.ts'
import type { Upstream } from './upstream.ts'
import { type Dial, type Lookup, openWay, systemDial, systemLookup, type Way, type Ways } from './way.ts'

export interface ProxyLimits {
  connections: number
  headBytes: number
  /** For the head of a request. */
  headMs: number
  connectMs: number
  /** Silence of a connection that is open. */
  idleMs: number
  /** Refusals that are reported. A program that asks for more is still refused, but does not fill anybody's log. */
  refusals: number
}

/** Package managers open up to 64 connections; names of packages and cookies fit into 8 KiB; a model may think for minutes before it streams. */
const LIMITS: ProxyLimits = { connections: 256, headBytes: 8192, headMs: 10_000, connectMs: 15_000, idleMs: 300_000, refusals: 1000 }

export interface ProxyOptions {
  allow: readonly AllowedHost[]
  /** In a folder that only this user may enter; made when it is missing. */
  socketPath: string
  /** Called once per connection, when it has ended; see `ProxyLimits.refusals`. Must not throw. */
  onDecision: (decision: Decision) => void
  /** The proxy of this machine's network, see `upstreamFrom`. Default: none. */
  upstream?: Upstream
  limits?: Partial<ProxyLimits>
  /** Default: the system's. Replaced in tests. */
  lookup?: Lookup
  dial?: Dial
}

export interface Proxy {
  readonly socketPath: string
  /** Ends all connections, reports them and removes the socket. */
  close(): Promise<void>
}

/**
 * The only way out of a sandbox: an HTTP proxy on a unix socket that connects (`CONNECT`) to exactly the hosts it is given, by an address it
 * has checked. Hosts of the user's own configuration may lie in a private network and be asked for without TLS; no others.
 * Throws `sandbox_failed` when it cannot listen.
 */
export async function createProxy(options: ProxyOptions): Promise<Proxy> {
  const limits = { ...LIMITS, ...options.limits }
  const { lookup = systemLookup, dial = systemDial, upstream = () => null } = options
  const closing = new AbortController()
  let refusals = 0
  const desk: Desk = {
    allow: new Map(options.allow.map((it) => [keyOf(it), it])),
    allowed: options.allow.map(keyOf).join(', ') || 'none',
    ways: { lookup, dial, upstream, connectMs: limits.connectMs, closing: closing.signal },
    idleMs: limits.idleMs,
    decided: (decision) => {
      if (decision.outcome === 'allowed' || refusals++ < limits.refusals) options.onDecision(decision)
    },
  }
  const open = new Set<Promise<void>>()
  // A connection that fails in an unforeseen way takes nothing but itself with it.
  const underWay = (client: Socket, work: Promise<void>) => {
    const ended = work.catch(() => void client.destroy()).finally(() => open.delete(ended))
    open.add(ended)
  }
  const sockets = new Set<Socket>()
  const server = createServer({
    maxHeaderSize: limits.headBytes,
    headersTimeout: limits.headMs,
    requestTimeout: 0, // a tunnel or an upload may take long; silence is what ends it
    connectionsCheckingInterval: Math.min(1000, limits.headMs),
  })
  server.maxConnections = limits.connections
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => sockets.delete(socket))
  })
  server.on('drop', () => report(desk, 'a connection', 'too-many-connections', performance.now()))
  server.on('connect', (request: IncomingMessage, client: Socket, head: Buffer) => underWay(client, tunnel(desk, request, client, head)))
  server.on('request', (request, response) => underWay(request.socket, plainRequest(desk, request, response)))
  server.on('clientError', (error: NodeJS.ErrnoException, client: Socket) => refuseBroken(desk, error, client))

  await listen(server, options.socketPath)
  return {
    socketPath: options.socketPath,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      closing.abort()
      for (const socket of sockets) socket.destroy()
      await Promise.all([closed, ...open])
      await rm(options.socketPath, { force: true })
    },
  }
}

/** What every connection of a proxy needs. */
interface Desk {
  allow: ReadonlyMap<string, AllowedHost>
  allowed: string
  ways: Ways
  idleMs: number
  decided: (decision: Decision) => void
}

async function tunnel(desk: Desk, request: IncomingMessage, client: Socket, head: Buffer): Promise<void> {
  const began = performance.now()
  const asked = request.url ?? ''
  const refuse = (reason: Reason, detail?: string) => endWith(client, reason, report(desk, asked, reason, began, detail))
  const target = readTarget(asked)
  if (target === 'malformed') return refuse(target)
  const entry = permitted(desk.allow, target)
  if (typeof entry === 'string') return refuse(entry)
  const way = await openWay(entry, desk.ways, 'tunnel')
  if ('reason' in way) return refuse(way.reason, way.detail)
  client.write('HTTP/1.1 200 OK\r\n\r\n')
  reportOpen(desk, target, way, began, await join(client, way.socket, { client: head, server: way.head }, desk.idleMs))
}

/** A request without TLS: only to hosts of the user's own configuration. */
async function plainRequest(desk: Desk, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const began = performance.now()
  const url = URL.parse(request.url ?? '')
  const refuse = (reason: Reason, detail?: string) => {
    const sentence = report(desk, url?.host || (request.url ?? ''), reason, began, detail)
    response.shouldKeepAlive = false
    if (response.headersSent) response.destroy()
    else response.writeHead(REASONS[reason].status, sentence, { 'X-Reeve': reason, 'Content-Type': 'text/plain' }).end(`${sentence}\n`)
  }
  if (url?.protocol !== 'http:' || url.username !== '' || url.password !== '') return refuse('malformed')
  const target = { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 80) }
  const entry = permitted(desk.allow, target)
  if (typeof entry === 'string') return refuse(entry)
  if (!entry.own) return refuse('plain-http')
  const way = await openWay(entry, desk.ways, 'plain')
  if ('reason' in way) return refuse(way.reason, way.detail)
  try {
    reportOpen(desk, target, way, began, await forward(request, response, url, way, desk.idleMs))
  } catch (error) {
    refuse('unreachable', (error as NodeJS.ErrnoException).code ?? problemOf(error))
  }
}

/** A request that is not HTTP, too large or too slow. */
function refuseBroken(desk: Desk, error: NodeJS.ErrnoException, client: Socket): void {
  if (error.code === 'ECONNRESET' || !client.writable) return void client.destroy()
  const reason = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'too-slow' : error.code === 'HPE_HEADER_OVERFLOW' ? 'too-large' : 'malformed'
  endWith(client, reason, report(desk, 'a request', reason, performance.now()))
}

function endWith(client: Socket, reason: Reason, sentence: string): void {
  const head = `X-Reeve: ${reason}\r\nContent-Type: text/plain\r\nContent-Length: ${sentence.length + 1}\r\nConnection: close`
  client.write(`HTTP/1.1 ${REASONS[reason].status} ${sentence}\r\n${head}\r\n\r\n${sentence}\n`)
  client.destroySoon()
}

function report(desk: Desk, asked: string, reason: Reason, began: number, detail = ''): string {
  const target = plain(asked)
  const sentence = sentenceOf(reason, { target, allowed: desk.allowed, detail })
  const outcome = REASONS[reason].status === 502 ? 'failed' : 'refused'
  desk.decided({ outcome, target, reason, sentence, address: null, sent: 0, received: 0, durationMs: since(began) })
  return sentence
}

function reportOpen(desk: Desk, asked: Target, { address }: Way, began: number, bytes: Bytes): void {
  const target = keyOf(asked)
  const sentence = `reeve: ${target} was reached at ${address}`
  desk.decided({ outcome: 'allowed', target, reason: 'allowed', sentence, address, ...bytes, durationMs: since(began) })
}

function since(began: number): number {
  return Math.round(performance.now() - began)
}

// The address of a unix socket is a field of 108 bytes (104 on macOS), its end included.
export const LONGEST_SOCKET_PATH = 103

async function listen(server: ReturnType<typeof createServer>, path: string): Promise<void> {
  const fail = (problem: string) => new ReeveError('sandbox_failed', { problem: `the proxy cannot listen at "${path}": ${problem}` })
  if (Buffer.byteLength(path) > LONGEST_SOCKET_PATH) throw fail(`a socket's path has ${LONGEST_SOCKET_PATH} bytes at most`)
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const folder = await lstat(dirname(path))
  if (!folder.isDirectory() || folder.uid !== process.getuid?.() || (folder.mode & 0o077) !== 0) {
    throw fail('its folder must be yours and closed to others (mode 0700)')
  }
  await rm(path, { force: true })
  const listening = Promise.withResolvers<void>()
  server.once('error', (error) => listening.reject(fail(problemOf(error))))
  server.listen(path, listening.resolve)
  await listening.promise
  await chmod(path, 0o600)
}
