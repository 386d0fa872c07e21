import { chmod } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { createAuthenticate } from './access/authenticate.ts'
import { listenAddress } from './access/listening.ts'
import { readTls } from './access/tls.ts'
import { type App, type AppOptions, createApp, userName } from './app.ts'
import type { Resident } from './app-host.ts'
import type { DaemonStatus } from './client/daemon.ts'
import { reeveFolders } from './config/home.ts'
import { type Flag, loadSettings } from './config/load.ts'
import { type Clock, systemClock } from './core/clock.ts'
import { problemOf, ReeveError } from './core/errors.ts'
import type { Settings } from './core/settings.ts'
import { answerAboutDaemon } from './daemon/answer.ts'
import { createEnding, type End, type Ending, endOnSignals } from './daemon/ending.ts'
import { type GuardedGateway, guardGateway } from './daemon/gateway.ts'
import { untilIdle } from './daemon/idle.ts'
import { holdDaemonLock, releaseDaemonLock } from './daemon/lock.ts'
import { API, daemonLog, type Place, readPlace, removePlace, writePlace } from './daemon/place.ts'
import { privateFolder } from './daemon/private-files.ts'
import { removeSocket, socketPath } from './daemon/socket-path.ts'
import { tokenOf } from './daemon/token.ts'
import { watchTrouble } from './daemon/trouble.ts'
import { createCallers } from './http/callers.ts'
import { createHttp, type Http } from './http/create.ts'
import { hostNames } from './http/guard.ts'
import { loopDelay } from './http/limits.ts'
import { type Listening, listen } from './http/listen.ts'
import { queueLimits } from './operations/queue-settings.ts'
import { OPERATIONS, STREAMS } from './operations/table.ts'
import { thisProcess } from './process/alive.ts'
import { type Observed, observe } from './serve-telemetry.ts'
import { type LogFile, openLogFile } from './telemetry/log-file.ts'
import { createLogger, type Logger } from './telemetry/logger.ts'

export interface ServeOptions extends AppOptions {
  /** Instead of what the settings say. */
  host: string | undefined
  port: number | undefined
  /** End when nobody needs it: a command has started it. */
  untilIdle: boolean
  process: NodeJS.Process
  /** Says something to whoever has started it. */
  say: (line: string) => void
}

/** What a daemon is made of; each part is there before the next one. */
interface Parts {
  folder: string
  settings: Settings
  clock: Clock
  app: App
  resident: Resident
  gateway: GuardedGateway
  file: LogFile
  log: Logger
  ending: Ending
  observed: Observed
}

// Answers on their way and last events of streams.
const PARTING_MS = 2000
// Steps that are told to end kill their programs, which takes half a second; one that hangs is left to the next start.
const HAND_BACK_MS = 10_000

/** The daemon of a data folder, from its lock to its end. Returns its exit code. Throws `daemon_running`, `address_taken`, `unsafe_listen`, `invalid_config`. */
export async function serve(options: ServeOptions): Promise<number> {
  const folder = reeveFolders(options.env, homedir()).state
  await privateFolder(folder)
  await holdDaemonLock(folder)
  try {
    const left = await readPlace(folder).catch(() => null)
    await removePlace(folder)
    if (left !== null) await removeSocket(left.socket).catch(() => undefined)
    return await live(options, folder)
  } finally {
    releaseDaemonLock(folder)
  }
}

async function live(options: ServeOptions, folder: string): Promise<number> {
  const parts = await assemble(options, folder)
  const { ending, log, app, clock, file, observed } = parts
  const quiet = [
    endOnSignals(options.process, ending),
    watchTrouble({ process: options.process, log, clock, onBroken: (why) => ending.end({ why, exitCode: 1 }) }),
  ]
  try {
    const open = await begin(options, parts)
    const end = await ending.asked
    await finish(parts, open, end)
    options.say(`The daemon has ended: ${end.why}.`)
    return end.exitCode
  } catch (error) {
    log.error('the daemon could not be started', { problem: error })
    throw error
  } finally {
    await observed.close()
    await app.close().catch((error: unknown) => log.error('the store could not be closed', { problem: error }))
    await file.flush()
    for (const it of quiet) it()
  }
}

async function assemble(options: ServeOptions, folder: string): Promise<Parts> {
  const clock = systemClock
  const app = createApp(options)
  const { settings } = await loadSettings({
    projectRoot: null,
    env: options.env,
    userDir: app.folders.config,
    flags: flagsOf(options),
  })
  const { log_level, log_size_mb, log_files } = settings.daemon
  await privateFolder(join(folder, 'logs'))
  const file = openLogFile({ path: daemonLog(folder), maxBytes: log_size_mb * 1024 * 1024, files: log_files, clock })
  const log = createLogger({ level: log_level, clock, redact: app.redact, write: file.write })
  const resident = await app.reside({ limits: queueLimits(settings), env: options.env })
  const all = { ...OPERATIONS, ...STREAMS }
  const gateway = guardGateway(app, (name) => all[name].effect)
  const ending = createEnding()
  const { version } = options
  const observed = await observe({
    app,
    engine: resident.engine,
    version,
    redact: app.redact,
    draining: () => ending.wasAsked(),
    log,
    clock,
  })
  return { folder, settings, clock, app, resident, gateway, file, log, ending, observed }
}

function flagsOf({ host, port }: ServeOptions): Flag[] {
  const flag = (name: 'host' | 'port', value: string | number | undefined) =>
    value === undefined ? [] : [{ key: `daemon.${name}`, name: `--${name}`, value }]
  return [...flag('host', host), ...flag('port', port)]
}

interface Open {
  place: Place
  listening: Listening[]
  /** Ends what looks whether anybody needs this daemon. */
  watch: AbortController
}

/** Listens, says where, and begins to work. */
async function begin(options: ServeOptions, parts: Parts): Promise<Open> {
  const { folder, settings, app, resident, log, clock } = parts
  const token = await tokenOf(folder)
  const socket = await socketPath(folder, options.env)
  const at = { hosts: [] as string[] }
  const http = createServed(options, parts, { token, hosts: () => at.hosts, place: () => place })
  const local = await listen(http, { socket })
  await chmod(socket, 0o600)
  const { url, listening } = await listenTcp(http, parts).catch(async (error: unknown) => {
    await local.close()
    throw error
  })
  const port = Number(new URL(url).port) || listening.port
  at.hosts = hostNames({ host: settings.daemon.host, port, hosts: settings.daemon.hosts })
  const place: Place = {
    pid: process.pid,
    process: (await thisProcess()).started,
    version: options.version,
    api: API,
    socket,
    url,
    token,
    startedAt: clock.now(),
    startedBy: options.untilIdle ? 'command' : 'serve',
    log: daemonLog(folder),
  }
  await resident.engine.start()
  await writePlace(folder, place)
  const { pid, version, startedBy } = place
  log.info('the daemon listens', { pid, version, url, socket, startedBy, folder })
  options.say(`reeve ${version} works on ${folder} and listens at ${url}. To end it: Ctrl-C, or reeve daemon stop`)
  const watch = new AbortController()
  if (startedBy === 'command') void endWhenIdle(parts, await app.store(), watch.signal)
  return { place, listening: [local, listening], watch }
}

function createServed(
  options: ServeOptions,
  parts: Parts,
  { token, hosts, place }: { token: string; hosts: () => readonly string[]; place: () => Place },
): Http {
  const { app, gateway, log, ending, clock, settings, observed } = parts
  const status = () => statusOf(parts, place())
  const authenticate = once(async () => {
    const onRefused = (it: object) => log.warn('a caller was refused', { ...it })
    return createAuthenticate({ token, user: userName(options.env), keys: await app.store(), clock, onRefused })
  })
  // Most daemons are never asked by other agents.
  const mcp = once(async () => {
    const { createMcpHttp } = await import('./mcp/http.ts')
    return createMcpHttp({ gateway, version: options.version, secret: token, log: (problem) => log.warn('mcp', { problem }) })
  })
  const http = createHttp({
    gateway,
    authenticate: async (authorization, via, from) => (await authenticate())(authorization, via, from),
    hosts,
    version: options.version,
    answers: {
      findAnswer: async (id) => (await app.store()).findAnswer(id),
      keepAnswer: async (id, answer) => (await app.store()).keepAnswer(id, answer),
    },
    loopDelay: loopDelay(),
    requestsPerMinute: settings.daemon.requests_per_minute,
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
  const stop = ({ now }: { now: boolean }) => ending.end({ why: 'reeve daemon stop', now })
  return {
    fetch: async (request, via, from) => (await answerAboutDaemon(request, via, { token, status, stop })) ?? http.fetch(request, via, from),
  }
}

async function listenTcp(http: Http, { settings, app, clock, log }: Parts): Promise<{ url: string; listening: Listening }> {
  const { daemon } = settings
  const keys = await (await app.store()).listKeys()
  const liveKeys = keys.filter((it) => it.state === 'live').length
  const address = listenAddress({ host: daemon.host, tlsCert: daemon.tls_cert, tlsKey: daemon.tls_key, liveKeys })
  const { host } = address
  const tls = address.tls === null ? {} : { tls: await readTls(address.tls, host, clock.now()) }
  const listening = await listen(http, { host, port: daemon.port, ...tls }).catch((error: unknown) => {
    const isTaken = error instanceof ReeveError && (error.cause as NodeJS.ErrnoException | undefined)?.code === 'EADDRINUSE'
    if (!isTaken || !address.loopback) throw error
    log.warn('the port is taken; another one is used', { port: daemon.port })
    return listen(http, { host, port: 0, ...tls })
  })
  const name = host.includes(':') ? `[${host}]` : host
  return { url: `${address.tls === null ? 'http' : 'https'}://${name}:${listening.port}`, listening }
}

async function statusOf({ folder, settings, app, gateway, ending }: Parts, place: Place): Promise<DaemonStatus> {
  const { running, queued } = await (await app.store()).workload()
  const { token: _, process: __, ...rest } = place
  return {
    ...rest,
    folder,
    draining: ending.wasAsked(),
    running,
    queued,
    drainSeconds: settings.daemon.drain_seconds,
    requests: gateway.open(),
  }
}

async function endWhenIdle({ settings, gateway, clock, ending }: Parts, store: Awaited<ReturnType<App['store']>>, signal: AbortSignal) {
  const minutes = settings.daemon.idle_minutes
  const busy = async () => {
    const load = await store.workload()
    return gateway.taken() > 0 || gateway.open() > 0 || load.running + load.queued + load.waking > 0
  }
  await untilIdle({ idleMs: minutes * 60_000, busy, clock, signal })
  if (!signal.aborted) ending.end({ why: `nobody has needed it for ${minutes} minutes`, quiet: true })
}

/** Takes nothing new, gives steps at work their time, hands the rest back, says goodbye to whoever looks on. */
async function finish(parts: Parts, { place, listening, watch }: Open, end: End): Promise<void> {
  const { folder, settings, resident, gateway, log, ending } = parts
  watch.abort()
  log.info('the daemon ends', { why: end.why })
  if (!end.quiet) {
    gateway.drain()
    const hurried = new Promise<boolean>((resolve) => {
      if (ending.hurry.aborted) resolve(false)
      ending.hurry.addEventListener('abort', () => resolve(false), { once: true })
    })
    const drained = await Promise.race([resident.engine.drain(settings.daemon.drain_seconds * 1000), hurried])
    if (!drained) log.warn('steps at work are begun again by the next daemon')
  }
  // Whoever calls from now on finds nobody, and starts the next one as soon as the lock is free.
  await removePlace(folder)
  await within(HAND_BACK_MS, resident.engine.stop()).catch((error: unknown) =>
    log.error('runs could not be handed back; the next daemon takes them over', { problem: problemOf(error) }),
  )
  gateway.leave()
  await Promise.all(listening.map((it) => it.close(PARTING_MS)))
  await removeSocket(place.socket).catch(() => undefined)
  log.info('the daemon has ended')
}

function within(ms: number, work: Promise<void>): Promise<void> {
  const late = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error(`not done within ${ms / 1000} s`)), ms).unref()
  })
  return Promise.race([work, late])
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => (made ??= make())
}
