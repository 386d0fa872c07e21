import { existsSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

/**
 * Locks that this process holds, by file. At module level because a handle that is garbage collected drops its lock. Never open these files by
 * `fs`: closing any descriptor of a locked file drops the process's lock on it.
 */
const held = new Map<string, DatabaseSync>()

/** True for SQLite's "locked by another connection", in all its extended codes. */
export function isBusy(error: unknown): boolean {
  const code = (error as { errcode?: unknown } | null)?.errcode
  return typeof code === 'number' && (code & 0xff) === 5
}

/** Holds a lock until `releaseLockFile` or the death of this process, however that comes. False: another process holds it. */
export function holdLockFile(path: string, waitMs = 0): boolean {
  const lock = new DatabaseSync(path, { timeout: waitMs })
  try {
    lock.exec('pragma locking_mode=exclusive; begin exclusive')
  } catch (error) {
    lock.close()
    if (isBusy(error)) return false
    throw error
  }
  held.set(path, lock)
  return true
}

/** Lets go of a lock; `remove`: and of its file, which nobody may lock again. */
export function releaseLockFile(path: string, { remove = false } = {}): void {
  held.get(path)?.close()
  held.delete(path)
  if (remove) rmSync(path, { force: true })
}

export function holdsLockFile(path: string): boolean {
  return held.has(path)
}

/** Is the lock held, by this process or another? Asks the lock itself, so that a dead holder is known at once. */
export function lockFileIsHeld(path: string): boolean {
  if (held.has(path)) return true
  if (!existsSync(path)) return false
  let lock: DatabaseSync | undefined
  try {
    lock = new DatabaseSync(path, { timeout: 0 })
    lock.exec('begin exclusive')
    return false
  } catch (error) {
    if (isBusy(error)) return true
    throw error
  } finally {
    lock?.close()
  }
}
