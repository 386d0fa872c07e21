import { chmod } from 'node:fs/promises'
import { createAuthenticate, type RefusedTry } from './access/authenticate.ts'
import { listenAddress } from './access/listening.ts'
import { readTls } from './access/tls.ts'
import type { App } from './app.ts'
import { once } from './app-kit.ts'
import type { DaemonStatus } from './client/daemon.ts'
import type { Clock } from './core/clock.ts'
import { ReeveError } from './core/errors.ts'
import type { Settings } from './core/settings.ts'
import { answerAboutDaemon } from './daemon/answer.ts'
import type { GuardedGateway } from './daemon/gateway.ts'
import { createCallers } from './http/callers.ts'
import { createHttp, type Http } from './http/create.ts'
import { hostNames } from './http/guard.ts'
import { loopDelay } from './http/limits.ts'
import { type Listening, listen } from './http/listen.ts'
import type { Observed } from './serve-telemetry.ts'
import type { Logger } from './telemetry/logger.ts'

export interface HttpParts {
  app: App
  gateway: GuardedGateway
  observed: Observed
  settings: Settings['daemon']
  log: Logger
  clock: Clock
  version: string
  /** Name of the user whose token this is. */
  user: string
  token: string
  socket: string
  status: () => Promise<DaemonStatus>
  stop: (how: { now: boolean }) => void
}

/** What answers, on the socket and at an address. */
export interface OpenHttp {
  url: string
  /** Takes nothing new; what has not ended after `graceMs` is cut off. */
  close(graceMs: number): Promise<void>
}

/** Everything that a daemon answers over HTTP. Throws `address_taken`, `unsafe_listen`. */
export async function openHttp(parts: HttpParts): Promise<OpenHttp> {
  const { settings, socket } = parts
  let hosts: readonly string[] = []
  const http = createServed(parts, () => hosts)
  const local = await listen(http, { socket })
  try {
    await chmod(socket, 0o600)
    const { host, port, secure, listening } = await listenTcp(http, parts)
    hosts = hostNames({ host, port, hosts: settings.hosts })
    return {
      url: `${secure ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`,
      close: async (graceMs) => void (await Promise.all([local.close(graceMs), listening.close(graceMs)])),
    }
  } catch (error) {
    await local.close()
    throw error
  }
}

function createServed(parts: HttpParts, hosts: () => readonly string[]): Http {
  const { app, gateway, observed, settings, log, clock, version, token } = parts
  const authenticate = once(async () => {
    const onRefused = (it: RefusedTry) => {
      log.warn('a caller was refused', { ...it })
      const actor = it.key === null ? 'unknown' : `key ${it.key}`
      // Nobody waits for it, and who was refused is told so all the same.
      void app.audit.refused({ actor, action: 'login', target: '', via: it.from, result: it.problem }).catch(() => undefined)
    }
    return createAuthenticate({ token, user: parts.user, keys: (await app.store()).access, clock, onRefused })
  })
  // Most daemons are never asked by other agents.
  const mcp = once(async () => {
    const { createMcpHttp } = await import('./mcp/http.ts')
    return createMcpHttp({ gateway, version, secret: token, log: (problem) => log.warn('mcp', { problem }) })
  })
  const http = createHttp({
    gateway,
    authenticate: async (authorization, via, from) => (await authenticate())(authorization, via, from),
    hosts,
    version,
    answers: {
      findAnswer: async (id) => (await app.store()).access.findAnswer(id),
      keepAnswer: async (id, answer) => (await app.store()).access.keepAnswer(id, answer),
    },
    loopDelay: loopDelay(),
    requestsPerMinute: settings.requests_per_minute,
    callers: createCallers(),
    health: () => observed.health(),
    ready: () => observed.ready(),
    metrics: () => observed.metrics(),
    mcp: async (request, caller) => (await mcp())(request, caller),
    log: ({ problem, ...entry }) => {
      observed.answered(entry)
      if (problem === null) log.debug('a request', entry)
      else log.error('a request failed', { ...entry, problem })
    },
  })
  return {
    fetch: async (request, via, from) => (await answerAboutDaemon(request, via, parts)) ?? http.fetch(request, via, from),
  }
}

interface TcpListening {
  host: string
  port: number
  secure: boolean
  listening: Listening
}

/** Where the port of the settings is taken, another one of this machine. */
async function listenTcp(http: Http, { settings, app, clock, log }: HttpParts): Promise<TcpListening> {
  const keys = await (await app.store()).access.listKeys()
  const liveKeys = keys.filter((it) => it.state === 'live').length
  const address = listenAddress({ host: settings.host, tlsCert: settings.tls_cert, tlsKey: settings.tls_key, liveKeys })
  const { host } = address
  const tls = address.tls === null ? {} : { tls: await readTls(address.tls, host, clock.now()) }
  const listening = await listen(http, { host, port: settings.port, ...tls }).catch((error: unknown) => {
    const isTaken = error instanceof ReeveError && (error.cause as NodeJS.ErrnoException | undefined)?.code === 'EADDRINUSE'
    if (!isTaken || !address.loopback) throw error
    log.warn('the port is taken; another one is used', { port: settings.port })
    return listen(http, { host, port: 0, ...tls })
  })
  return { host, port: listening.port, secure: address.tls !== null, listening }
}
