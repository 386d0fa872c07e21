import { lstat, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { systemClock } from '../../core/clock.ts'

const PREFIX = 'reeve-meter-'
/** Of a socket, in a folder of ours. */
export const SOCKET = 's'
// The address of a unix socket is a field of 104 bytes on some systems.
const LONGEST_SOCKET_PATH = 100
// A younger one may be about to be listened at.
const ABANDONED_MS = 60_000

/**
 * A fresh folder for a socket, closed to others; the caller removes it. In `shared`, or among the temporary files where nobody names one or the
 * path would be too long. What killed processes left there is removed.
 */
export async function makeSocketFolder(shared: string | null): Promise<string> {
  const isShort = shared !== null && Buffer.byteLength(join(shared, `${PREFIX}XXXXXX`, SOCKET)) <= LONGEST_SOCKET_PATH
  if (isShort) await mkdir(shared, { recursive: true, mode: 0o700 })
  const own = isShort ? await mkdtemp(join(shared, PREFIX)) : await mkdtemp(join(tmpdir(), 'reeve-meter-'))
  await removeAbandoned(dirname(own))
  return own
}

async function removeAbandoned(parent: string): Promise<void> {
  const names = await readdir(parent).catch(() => [])
  const ours = names.filter((it) => it.startsWith(PREFIX)).map((it) => join(parent, it))
  // What belongs to another user stays.
  await Promise.allSettled(ours.map(async (it) => ((await isAbandoned(it)) ? await rm(it, { recursive: true, force: true }) : undefined)))
}

/** There is a socket, and nobody listens at it. */
async function isAbandoned(folder: string): Promise<boolean> {
  const own = await lstat(folder)
  // Another user could change what is in it while it is being removed.
  if (!own.isDirectory() || own.uid !== process.getuid?.() || (own.mode & 0o077) !== 0) return false
  const path = join(folder, SOCKET)
  const made = await stat(path)
  if (systemClock.now() - made.mtimeMs < ABANDONED_MS) return false
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect({ path })
  socket.once('connect', () => resolve(false))
  socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'))
  return await promise.finally(() => socket.destroy())
}
