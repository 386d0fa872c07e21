import { homedir } from 'node:os'
import { join } from 'node:path'
import { type App, type AppOptions, createApp, userName } from './app.ts'
import type { Resident } from './app-host.ts'
import { reeveFolders } from './config/home.ts'
import { type Flag, loadSettings } from './config/load.ts'
import { type Clock, systemClock } from './core/clock.ts'
import { problemOf } from './core/errors.ts'
import type { Settings } from './core/settings.ts'
import { createEnding, type End, type Ending, endOnSignals } from './daemon/ending.ts'
import { type GuardedGateway, guardGateway } from './daemon/gateway.ts'
import { untilIdle } from './daemon/idle.ts'
import { holdDaemonLock, releaseDaemonLock } from './daemon/lock.ts'
import { API, daemonLog, type Place, readPlace, removePlace, writePlace } from './daemon/place.ts'
import { privateFolder } from './daemon/private-files.ts'
import { removeSocket, socketPath } from './daemon/socket-path.ts'
import { tokenOf } from './daemon/token.ts'
import { watchTrouble } from './daemon/trouble.ts'
import { lostItsPlace } from './daemon/watch-place.ts'
import { queueLimits } from './operations/queue-settings.ts'
import { sweepLogsDaily } from './operations/run-log.ts'
import { OPERATIONS, STREAMS } from './operations/table.ts'
import { createWebhooks, type Webhooks } from './operations/webhooks/create.ts'
import { thisProcess } from './process/alive.ts'
import { startThrough } from './process/run-program.ts'
import { createStarter } from './process/starter.ts'
import { type OpenHttp, openHttp } from './serve-http.ts'
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
  // Begun while this process is small; git would hold up every request for as long as it takes to start it.
  const starter = createStarter()
  startThrough(starter)
  try {
    const left = await readPlace(folder).catch(() => null)
    await removePlace(folder)
    if (left !== null) await removeSocket(left.socket).catch(() => undefined)
    return await live(options, folder)
  } finally {
    startThrough(null)
    starter.close()
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
    // Closing a socket would remove that of the daemon that has come instead.
    if (end.lost) await file.flush().then(() => options.process.exit(end.exitCode))
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
  const { env, version } = options
  const { settings } = await loadSettings({ projectRoot: null, env, userDir: app.folders.config, flags: flagsOf(options) })
  const { log_level, log_size_mb, log_files } = settings.daemon
  await privateFolder(join(folder, 'logs'))
  const file = openLogFile({ path: daemonLog(folder), maxBytes: log_size_mb * 1024 * 1024, files: log_files, clock })
  const log = createLogger({ level: log_level, clock, redact: app.redact, write: file.write })
  const resident = await app.reside({ limits: queueLimits(settings), env })
  const verbs = { ...OPERATIONS, ...STREAMS }
  const gateway = guardGateway(app, (name) => verbs[name].effect)
  const ending = createEnding()
  const { engine } = resident
  const draining = () => ending.wasAsked()
  const otlpEndpoint = settings.telemetry.otlp_endpoint
  const observed = await observe({ app, engine, version, redact: app.redact, draining, log, clock, otlpEndpoint })
  return { folder, settings, clock, app, resident, gateway, file, log, ending, observed }
}

function flagsOf({ host, port }: ServeOptions): Flag[] {
  const flag = (name: 'host' | 'port', value: string | number | undefined) =>
    value === undefined ? [] : [{ key: `daemon.${name}`, name: `--${name}`, value }]
  return [...flag('host', host), ...flag('port', port)]
}

interface Open {
  place: Place
  http: OpenHttp
  /** Ends what looks whether anybody needs this daemon, and finds it. */
  watch: AbortController
  webhooks: Webhooks
}

/** Listens, begins to work, and says where it is. */
async function begin(options: ServeOptions, parts: Parts): Promise<Open> {
  const { folder, settings, app, resident, gateway, log, clock, ending } = parts
  const { version, untilIdle: startedByCommand } = options
  const own = {
    pid: process.pid,
    process: (await thisProcess()).started,
    version,
    api: API,
    socket: await socketPath(folder, options.env),
    token: await tokenOf(folder),
    startedAt: clock.now(),
    startedBy: startedByCommand ? ('command' as const) : ('serve' as const),
    log: daemonLog(folder),
  }
  const place = { ...own, url: '' }
  const http = await openHttp({
    ...parts,
    settings: settings.daemon,
    version,
    user: userName(options.env),
    token: own.token,
    socket: own.socket,
    status: async () => {
      const { token: _, process: __, ...rest } = place
      const { running, queued } = await (await app.store()).workload()
      const drainSeconds = settings.daemon.drain_seconds
      return { ...rest, folder, draining: ending.wasAsked(), running, queued, drainSeconds, requests: gateway.open() }
    },
    stop: ({ now }) => ending.end({ why: 'reeve daemon stop', now }),
  })
  place.url = http.url
  // Before the first event of a run that goes on here.
  const webhooks = await startWebhooks(options, parts)
  await resident.engine.start()
  await writePlace(folder, place)
  const { pid, socket, url, startedBy } = place
  log.info('the daemon listens', { pid, version, url, socket, startedBy, folder })
  options.say(`reeve ${version} works on ${folder} and listens at ${url}. To end it: Ctrl-C, or reeve daemon stop`)
  const watch = new AbortController()
  void endWhenLost(parts, place, watch.signal)
  void sweepLogsDaily(join(folder, 'logs'), clock, watch.signal)
  if (startedByCommand) void endWhenIdle(parts, watch.signal)
  return { place, http, watch, webhooks }
}

async function startWebhooks({ env, version }: ServeOptions, { app, settings, clock, log }: Parts): Promise<Webhooks> {
  const { redact } = app
  const webhooks = createWebhooks({ store: await app.store(), settings: settings.webhooks, env, clock, fetch, version, redact, log })
  await webhooks.start()
  return webhooks
}

/** Never rejects. */
async function endWhenLost({ folder, clock, ending }: Parts, place: Place, signal: AbortSignal): Promise<void> {
  const lost = await lostItsPlace({ folder, place, clock, signal })
  if (lost) ending.end({ why: 'its data folder was removed', exitCode: 1, lost: true, now: true })
}

/** Never rejects. Who waits for a person, for a key or in a paused queue needs nobody. */
async function endWhenIdle({ settings, gateway, clock, ending, app }: Parts, signal: AbortSignal): Promise<void> {
  const minutes = settings.daemon.idle_minutes
  const busy = async () => {
    const store = await app.store()
    return gateway.taken() + gateway.open() + (await store.workload()).running > 0 || (await store.nextWake()) !== null
  }
  await untilIdle({ idleMs: minutes * 60_000, busy, clock, signal })
  if (!signal.aborted) ending.end({ why: `nobody has needed it for ${minutes} minutes`, quiet: true })
}

/** Takes nothing new, gives steps at work their time, hands the rest back, says goodbye to whoever looks on. */
async function finish(parts: Parts, { place, http, watch, webhooks }: Open, end: End): Promise<void> {
  const { folder, resident, gateway, log } = parts
  watch.abort()
  log.info('the daemon ends', { why: end.why })
  if (!end.quiet && !(await drain(parts))) log.warn('steps at work are begun again by the next daemon')
  // Whoever calls from now on finds nobody, and starts the next one as soon as the lock is free.
  if (!end.lost) await removePlace(folder)
  await within(HAND_BACK_MS, resident.engine.stop()).catch((error: unknown) =>
    log.error('runs could not be handed back; the next daemon takes them over', { problem: problemOf(error) }),
  )
  // What was not sent yet is sent by the next daemon.
  await webhooks.stop()
  // One that came in the last moment of an idle daemon is cut off instead: it comes back to the next one.
  if (!end.quiet) gateway.leave()
  if (end.lost) return
  await http.close(PARTING_MS)
  await removeSocket(place.socket).catch(() => undefined)
  log.info('the daemon has ended')
}

/** True: no step is at work any more. */
async function drain({ gateway, resident, settings, ending }: Parts): Promise<boolean> {
  gateway.drain()
  const hurried = new Promise<boolean>((resolve) => {
    if (ending.hurry.aborted) resolve(false)
    ending.hurry.addEventListener('abort', () => resolve(false), { once: true })
  })
  return Promise.race([resident.engine.drain(settings.daemon.drain_seconds * 1000), hurried])
}

function within(ms: number, work: Promise<void>): Promise<void> {
  const late = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error(`not done within ${ms / 1000} s`)), ms).unref()
  })
  return Promise.race([work, late])
}
