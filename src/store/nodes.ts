import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { isBusy } from './sqlite.ts'

/**
 * Lock files of the nodes that this process is. At module level because a handle that is garbage collected drops its lock. Never open these
 * files by `fs`: closing any descriptor of a locked file drops the process's lock on it.
 */
const held = new Map<string, DatabaseSync>()

// Old enough that no process can be between making its file and locking it.
const STALE_MS = 3_600_000

function lockFile(folder: string, node: string): string {
  return join(folder, 'nodes', `${node}.db`)
}

/** Makes this process the node: others see it as alive until `releaseNode` or its death. Node ids are never used twice. */
export function holdNode(folder: string, node: string): void {
  const path = lockFile(folder, node)
  const lock = new DatabaseSync(path, { timeout: 0 })
  try {
    lock.exec('pragma locking_mode=exclusive; begin exclusive')
  } catch (error) {
    lock.close()
    throw error
  }
  held.set(path, lock)
}

export function releaseNode(folder: string, node: string): void {
  const path = lockFile(folder, node)
  held.get(path)?.close()
  held.delete(path)
  rmSync(path, { force: true })
}

/** True while the process that holds the node lives. Asks the lock, so a dead one is known at once. */
export function nodeIsAlive(folder: string, node: string): boolean {
  const path = lockFile(folder, node)
  if (held.has(path)) return true
  if (!existsSync(path)) return false
  return isLocked(path)
}

function isLocked(path: string): boolean {
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

/** Removes the files that dead nodes left behind. */
export function sweepNodes(folder: string, now: number): void {
  const dir = join(folder, 'nodes')
  for (const name of readdirSync(dir).filter((it) => it.endsWith('.db'))) {
    const path = join(dir, name)
    const age = now - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? now)
    if (age > STALE_MS && !held.has(path) && !isLocked(path)) rmSync(path, { force: true })
  }
}
