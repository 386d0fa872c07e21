import { lstat } from 'node:fs/promises'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import type { Env } from '../config/home.ts'
import { type Place, readPlace } from './place.ts'

export interface StartOptions {
  /** State folder of the data folder. */
  folder: string
  /** Environment of the daemon, where one is started. */
  env: Env
  version: string
  /** Program and arguments that start this reeve again. */
  self: readonly [string, ...string[]]
  /** Says something to the person at the terminal. */
  remark: (line: string) => void
}

/**
 * The daemon of the data folder: the one that is there, else one that is started in the background. What starts it is loaded only then: each
 * command comes by here. Throws `daemon_failed`.
 */
export async function findDaemon(options: StartOptions): Promise<Place> {
  const place = await placeInUse(options.folder)
  if (place?.version === options.version) return place
  const { otherVersion, startDaemon } = await import('./start.ts')
  return place === null ? startDaemon(options) : otherVersion(place, options)
}

/** Where a living daemon takes connections; null: nowhere. */
export async function placeInUse(folder: string): Promise<Place | null> {
  const place = await readPlace(folder)
  return place !== null && (await isOwn(dirname(place.socket))) && (await takesConnections(place.socket)) ? place : null
}

/** The folder of a daemon that has died may be gone, and made anew by somebody else: what is said at the socket are token and keys. */
async function isOwn(folder: string): Promise<boolean> {
  const found = await lstat(folder).catch(() => null)
  return found !== null && found.uid === (process.getuid?.() ?? found.uid)
}

/** Does anybody take connections there? */
function takesConnections(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const it = connect(socket)
    const end = (answer: boolean) => () => {
      it.destroy()
      resolve(answer)
    }
    it.once('connect', end(true))
    it.once('error', end(false))
  })
}
