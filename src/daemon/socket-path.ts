import { createHash } from 'node:crypto'
import { mkdtemp, rm, rmdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, isAbsolute, join } from 'node:path'
import type { Env } from '../config/home.ts'
import { ReeveError } from '../core/errors.ts'
import { privateFolder } from './private-files.ts'

// The system takes 104 bytes on macOS and 108 on Linux, and cuts what is longer without a word.
const MOST_BYTES = 100
const NAME = 'daemon.sock'

/**
 * Where the daemon's socket lies: in the state folder, or, where that path is too long, in a folder of its own that nobody else may look into.
 * What a dead daemon has left there is removed. Called by the holder of the lock only.
 */
export async function socketPath(folder: string, env: Env): Promise<string> {
  const usual = join(folder, NAME)
  if (fits(usual)) return freed(usual)
  const runtime = env['XDG_RUNTIME_DIR']
  if (runtime !== undefined && isAbsolute(runtime)) {
    const own = join(runtime, `reeve-${createHash('sha256').update(folder).digest('hex').slice(0, 12)}`)
    if (fits(join(own, NAME))) {
      await privateFolder(own)
      return freed(join(own, NAME))
    }
  }
  const made = join(await mkdtemp(join(tmpdir(), 'reeve-')), NAME)
  if (fits(made)) return made
  await rmdir(dirname(made))
  throw new ReeveError('environment', {
    problem: `No folder for the daemon's socket has a path that is short enough (${MOST_BYTES} bytes). Set XDG_RUNTIME_DIR or TMPDIR to a short one.`,
  })
}

async function freed(path: string): Promise<string> {
  await rm(path, { force: true })
  return path
}

function fits(path: string): boolean {
  return Buffer.byteLength(path) <= MOST_BYTES
}

/** Removes a socket, and the folder that was made for it. Called by the holder of the lock only. */
export async function removeSocket(path: string): Promise<void> {
  await rm(path, { force: true })
  const folder = dirname(path)
  if (basename(folder).startsWith('reeve-')) await rmdir(folder).catch(() => undefined) // somebody else's things are in it
}
