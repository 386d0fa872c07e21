import { randomBytes, randomInt } from 'node:crypto'
import { chmod, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type Redact, redactor } from '../../core/redact.ts'
import { headersFor } from '../headers.ts'
import { passingBody } from './body.ts'
import { createBudget } from './budget.ts'
import { exchange } from './exchange.ts'
import { textOf } from './forward.ts'
import { headersBack, headersOut, placeOfToken } from './keys.ts'
import { METER_DIALECTS, type Meter, type MeterDialect, type MeterOptions } from './port.ts'
import { routeOf, upstreamUrl } from './route.ts'
import { say } from './say.ts'
import { makeSocketFolder, SOCKET } from './socket-folder.ts'

const HOST = '127.0.0.1'
// Below those that systems give away by themselves: inside a sandbox the port must be free for us.
const PORTS = [20_000, 32_000] as const
// Longer than programs think between two requests: a connection that is closed while they begin one is an error to them.
const KEEP_ALIVE_MS = 120_000

/** One program, with its helpers: more of them at the same time are none of its work. */
const MOST_CONNECTIONS = 512
/** Of an answer that is held: the longest lists of models take a megabyte. */
const MOST_HELD = 16 * 1024 * 1024
/** What is shorter is a word. */
const SHORTEST_TOKEN = 16

/**
 * Starts a proxy for the model requests of one program: it takes a token of its own as the key, puts the real one in, and reads status and
 * usage from what passes. Everything is streamed; nothing is held but a line.
 */
export async function startMeter(options: MeterOptions): Promise<Meter> {
  const token = `reeve-${randomBytes(24).toString('hex')}`
  const closing = new AbortController()
  const handle = createHandler(options, token, closing.signal)
  const servers: Server[] = []
  const underWay = new Set<Promise<void>>()
  const make = () => {
    const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS, requestTimeout: 0 }, (request, response) => {
      const handled = handle(request, response).catch(() => void response.destroy())
      underWay.add(handled)
      void handled.finally(() => underWay.delete(handled))
    })
    server.maxConnections = MOST_CONNECTIONS
    servers.push(server)
    return server
  }
  const folder = options.folder === null ? null : await makeSocketFolder(options.folder === 'temporary' ? null : options.folder)
  const socketPath = folder === null ? null : join(folder, SOCKET)
  const close = async () => {
    closing.abort()
    await Promise.all(servers.map(closeServer))
    // What they have used is told by then.
    await Promise.all(underWay)
    if (folder !== null) await rm(folder, { recursive: true, force: true })
  }
  try {
    let port = randomInt(...PORTS)
    if (options.listenTcp) {
      const server = make()
      await listen(server, { host: HOST, port: 0 })
      port = (server.address() as AddressInfo).port
    }
    if (socketPath !== null) {
      await listen(make(), { path: socketPath })
      await chmod(socketPath, 0o600)
    }
    return { url: `http://${HOST}:${port}`, port, token, socketPath, close }
  } catch (error) {
    await close()
    throw error
  }
}

function createHandler(options: MeterOptions, token: string, closing: AbortSignal) {
  const { key, dialects = METER_DIALECTS } = options
  const redact = redactor([...(key === null ? [] : [key]), ...tokensIn(options.headers)])
  const budget = createBudget(options)
  let turn = 0
  let limited = false
  const told = {
    ...options.told,
    onLimit(reached: Parameters<typeof options.told.onLimit>[0]) {
      if (!limited) options.told.onLimit(reached)
      limited = true
    },
  }
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://host')
    const route = routeOf(request.method ?? '', pathname, dialects)
    const dialect = route.kind === 'model' ? route.dialect : (dialects[0] ?? null)
    const place = placeOfToken(request.headers, searchParams, token)
    if (place === null) return turnAway(request, response, dialect, 401, 'This is no key of this run.')
    if (route.kind === 'none') return turnAway(request, response, dialect, 404, 'Only the API of the model is reached here.')

    searchParams.delete('key')
    const url = upstreamUrl(options.upstream, pathname, searchParams)
    const more = headersFor(options.headers ?? {}, { ...options.origin, turn })
    const headers = headersOut(request.headers, place, { key, more })
    if (route.kind === 'free') return await passFree({ request, response, url, headers, options, redact, closing })
    const { model } = route
    await exchange({
      request,
      response,
      url,
      headers,
      redact,
      closing,
      options: { ...options, told },
      dialect: route.dialect,
      model,
      budget,
      turn: turn++,
    })
  }
}

/** Headers that may let somebody in, too. */
function tokensIn(headers: MeterOptions['headers'] = {}): string[] {
  return Object.values(headers).filter((it) => it.length >= SHORTEST_TOKEN)
}

function turnAway(request: IncomingMessage, response: ServerResponse, dialect: MeterDialect | null, status: number, message: string): void {
  request.resume()
  say(response, dialect, { status, message, final: true })
}

interface Free {
  request: IncomingMessage
  response: ServerResponse
  url: string
  headers: Record<string, string>
  options: MeterOptions
  redact: Redact
  closing: AbortSignal
}

/** A request that costs nothing: passed on, not counted. */
async function passFree({ request, response, url, headers, options, redact, closing }: Free): Promise<void> {
  const method = request.method ?? 'GET'
  const body = method === 'GET' ? {} : { body: passingBody(request).stream, duplex: 'half' as const }
  const signal = AbortSignal.any([closing, AbortSignal.timeout(options.idleMs)])
  try {
    const answer = await (options.fetch ?? fetch)(url, { method, headers, redirect: 'manual', signal, ...body })
    const text = redact(await textOf(answer, MOST_HELD))
    response.writeHead(answer.status, headersBack(answer.headers, redact)).end(text)
  } catch {
    say(response, null, { status: 502, message: 'The provider cannot be reached.' })
  }
}

async function listen(server: Server, at: { path: string } | { host: string; port: number }): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(at, resolve)
  await promise
}

async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeAllConnections()
  await closed
}
