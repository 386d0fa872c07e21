import { join } from 'node:path'
import { ReeveError } from '../core/errors.ts'
import { holdLockFile, lockFileIsHeld, releaseLockFile } from '../store/lock-file.ts'
import { DAEMON_LOCK } from '../store/places.ts'
import { readPlace } from './place.ts'

// A client that looks whether the lock is held has it for a moment itself.
const WAIT_MS = 500

/** Never open it by `fs`. */
export function lockFile(folder: string): string {
  return join(folder, DAEMON_LOCK)
}

/** Makes this process the daemon of a data folder, until `releaseDaemonLock` or its death, however that comes. Throws `daemon_running`. */
export async function holdDaemonLock(folder: string): Promise<void> {
  if (holdLockFile(lockFile(folder), WAIT_MS)) return
  const place = await readPlace(folder).catch(() => null)
  throw new ReeveError('daemon_running', { pid: place?.pid ?? 'unknown', path: folder })
}

export function releaseDaemonLock(folder: string): void {
  releaseLockFile(lockFile(folder))
}

/** Does a daemon live? Asks its lock, so a dead one is known at once. */
export function daemonIsAlive(folder: string): boolean {
  return lockFileIsHeld(lockFile(folder))
}
