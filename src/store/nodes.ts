import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { holdLockFile, holdsLockFile, lockFileIsHeld, releaseLockFile } from './lock-file.ts'

// Old enough that no process can be between making its file and locking it.
const STALE_MS = 3_600_000

function lockFile(folder: string, node: string): string {
  return join(folder, 'nodes', `${node}.db`)
}

/** Makes this process the node: others see it as alive until `releaseNode` or its death. Node ids are never used twice. */
export function holdNode(folder: string, node: string): void {
  const path = lockFile(folder, node)
  if (!holdLockFile(path)) throw new Error(`The node ${node} is held by another process.`)
}

export function releaseNode(folder: string, node: string): void {
  releaseLockFile(lockFile(folder, node), { remove: true })
}

/** True while the process that holds the node lives. Asks the lock, so a dead one is known at once. */
export function nodeIsAlive(folder: string, node: string): boolean {
  return lockFileIsHeld(lockFile(folder, node))
}

/** Processes that work on runs of this data folder. */
export function livingNodes(folder: string): string[] {
  const names = readdirSync(join(folder, 'nodes')).filter((it) => it.endsWith('.db'))
  return names.map((it) => it.slice(0, -'.db'.length)).filter((it) => nodeIsAlive(folder, it))
}

/** Removes the files that dead nodes left behind. */
export function sweepNodes(folder: string, now: number): void {
  const dir = join(folder, 'nodes')
  for (const name of readdirSync(dir).filter((it) => it.endsWith('.db'))) {
    const path = join(dir, name)
    const age = now - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? now)
    if (age > STALE_MS && !holdsLockFile(path) && !lockFileIsHeld(path)) rmSync(path, { force: true })
  }
}
