import { setTimeout as delay } from 'node:timers/promises'
import type { DaemonControl, DaemonStatus } from '../client/daemon.ts'
import { ReeveError } from '../core/errors.ts'
import { isAlive } from '../process/alive.ts'
import { askStatus, askToStop } from './ask.ts'
import { placeInUse, type StartOptions } from './find.ts'
import { daemonIsAlive } from './lock.ts'
import { followLog, lastLinesOf } from './log-lines.ts'
import { type Place, readPlace } from './place.ts'
import { startDaemon } from './start.ts'

// What comes after the steps at work have had their time: runs are handed back, connections end, files are closed.
const END_MS = 15_000
const LOOK_MS = 25

/** The daemon of a data folder, for the commands that are about it. None of them but `restart` starts one. */
export function createDaemonControl(options: StartOptions & { log: string }): DaemonControl {
  const { folder } = options
  return {
    status: () => statusOf(folder),
    stop: ({ now }) => stop(folder, now),
    async restart({ now }) {
      const there = await statusOf(folder)
      if (there?.startedBy === 'serve') {
        throw new ReeveError('environment', {
          problem: `The daemon (process ${there.pid}) was started by "reeve serve", so it is not started again in the background. End it where it was started, or with: reeve daemon stop`,
        })
      }
      await stop(folder, now)
      return askStatus(await startDaemon(options))
    },
    async *logs({ lines, follow }, signal) {
      yield* follow ? followLog(options.log, lines, signal) : await lastLinesOf(options.log, lines)
    },
  }
}

/** null: none lives. Throws `daemon_failed` for one that lives and does not answer. */
async function statusOf(folder: string): Promise<DaemonStatus | null> {
  const place = await placeInUse(folder)
  if (place !== null) return askStatus(place)
  if (!daemonIsAlive(folder)) return null
  throw between()
}

function between(): ReeveError {
  const problem = 'it takes no connections, since it is being started or ended. Ask again in a moment.'
  return new ReeveError('daemon_failed', { problem })
}

async function stop(folder: string, now: boolean): Promise<boolean> {
  const place = await readPlace(folder)
  if (!daemonIsAlive(folder)) return false
  if (place === null) throw between()
  let drainMs = 0
  try {
    if (!now) drainMs = (await askStatus(place)).drainSeconds * 1000
    await askToStop(place, { now })
  } catch (error) {
    if (!now) throw error
    // It does not answer, and whoever asks does not want to wait.
    if (await isAlive(identity(place))) process.kill(place.pid, 'SIGKILL')
  }
  await gone(folder, place, drainMs + END_MS)
  return true
}

async function gone(folder: string, place: Place, withinMs: number): Promise<void> {
  const until = performance.now() + withinMs
  while (daemonIsAlive(folder) || (await isAlive(identity(place)))) {
    if (performance.now() > until) {
      const problem = `process ${place.pid} has not ended within ${Math.round(withinMs / 1000)} s. To end it at once: reeve daemon stop --now`
      throw new ReeveError('daemon_failed', { problem })
    }
    await delay(LOOK_MS)
  }
}

function identity({ pid, process }: Place) {
  return { pid, started: process }
}
