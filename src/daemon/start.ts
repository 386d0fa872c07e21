import { mkdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Env } from '../config/home.ts'
import { ReeveError } from '../core/errors.ts'
import { type BackgroundProgram, startInBackground } from '../process/background.ts'
import { askStatus, askToStop } from './ask.ts'
import { placeInUse, type StartOptions } from './find.ts'
import { daemonIsAlive } from './lock.ts'
import { API, type Place } from './place.ts'
import { privateFolder } from './private-files.ts'

// A cold start takes half a second; on a machine with ten times more to do than it can, five.
const START_MS = 30_000
// Whoever waits that long is told for what.
const PATIENCE_MS = 10_000
const LOOK_MS = 15

/** A daemon that has nothing to do makes room for one of this version; one at work goes on, as long as it understands us. */
export async function otherVersion(place: Place, options: StartOptions): Promise<Place> {
  const status = await askStatus(place)
  if (status.startedBy === 'command' && status.running === 0 && status.requests === 0) {
    await askToStop(place, { now: false })
    const until = performance.now() + PATIENCE_MS
    while (daemonIsAlive(options.folder) && performance.now() < until) await delay(LOOK_MS)
    return startDaemon(options)
  }
  const theirs = `The daemon is reeve ${place.version}, this is ${options.version}`
  const how = status.startedBy === 'command' ? 'reeve daemon restart' : 'stop it where it was started (reeve serve) and start it again'
  if (place.api !== API) throw new ReeveError('daemon_failed', { problem: `${theirs}, and they do not understand each other. Do: ${how}` })
  options.remark(
    `${theirs}. It goes on being used${status.running > 0 ? `: ${status.running} runs are at work` : ''}. To change it: ${how}`,
  )
  return place
}

/** Starts a daemon, or waits for the one that somebody else is starting. */
export async function startDaemon(options: StartOptions): Promise<Place> {
  const { folder } = options
  await privateFolder(folder)
  const output = join(folder, 'logs', 'daemon-start.log')
  await mkdir(dirname(output), { recursive: true, mode: 0o700 })
  const began = performance.now()
  let told = false
  let started: { it: BackgroundProgram; ended: string | null } | null = null
  for (;;) {
    // In this order: one that has just begun to listen and then lost its lock is gone.
    const alive = daemonIsAlive(folder)
    const place = alive ? await placeInUse(folder) : null
    if (place !== null) return place
    if (!alive && started === null) started = begin(options, output)
    if (!alive && started !== null && started.ended !== null) throw failed(started.ended, await lastLines(output))
    const waited = performance.now() - began
    if (waited > PATIENCE_MS && !told) options.remark('The daemon is being started. A machine that has much to do takes its time.')
    told ||= waited > PATIENCE_MS
    if (waited > START_MS) throw failed(`it does not answer after ${START_MS / 1000} s`, await lastLines(output))
    await delay(LOOK_MS)
  }
}

function begin({ folder, env, self }: StartOptions, output: string): { it: BackgroundProgram; ended: string | null } {
  const it = startInBackground({ argv: [...self, 'serve', '--until-idle'], cwd: '/', env: { ...env, ...placed(env, folder) }, output })
  const started = { it, ended: null as string | null }
  void it.ended.then((how) => (started.ended = how))
  return started
}

/** A relative `REEVE_HOME` would mean another folder from where the daemon is; and the daemon is no foreground. */
function placed(env: Env, folder: string): Record<string, string | undefined> {
  return { REEVE_FOREGROUND: undefined, ...(env['REEVE_HOME'] ? { REEVE_HOME: dirname(folder) } : {}) }
}

function failed(problem: string, said: string): ReeveError {
  return new ReeveError('daemon_failed', { problem: said === '' ? `${problem}.` : `${problem}.\n${said}` })
}

async function lastLines(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '')
  return text.trimEnd().split('\n').slice(-5).join('\n')
}
