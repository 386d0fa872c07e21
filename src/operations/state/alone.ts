import { closeSync, existsSync, openSync, readSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { ReeveError } from '../../core/errors.ts'
import { parseJson } from '../../core/json.ts'
import { holdLockFile, isBusy, releaseLockFile } from '../../store/lock-file.ts'
import { livingNodes } from '../../store/nodes.ts'
import { DAEMON_LOCK } from '../../store/places.ts'

// A client that looks whether the lock is held has it for a moment itself.
const WAIT_MS = 500

/**
 * Does something while no other reeve works with the state: no daemon can begin, no process works on a run, nobody has the store open. Throws
 * `daemon_running`, `store_locked`.
 */
export async function alone<T>(state: string, work: () => Promise<T>): Promise<T> {
  await mkdir(join(state, 'nodes'), { recursive: true, mode: 0o700 })
  const lock = join(state, DAEMON_LOCK)
  if (!holdLockFile(lock, WAIT_MS)) throw new ReeveError('daemon_running', { pid: await pidOf(state), path: state })
  try {
    if (livingNodes(state).length > 0) throw new ReeveError('store_locked', { path: state })
    return await work()
  } finally {
    releaseLockFile(lock)
  }
}

async function pidOf(state: string): Promise<number | string> {
  const path = join(state, 'daemon.json')
  const text = await readFile(path, 'utf8').catch(() => '{}')
  try {
    const pid = (parseJson(text, path) as { pid?: unknown }).pid
    return typeof pid === 'number' ? pid : 'unknown'
  } catch {
    return 'unknown'
  }
}

/**
 * Brings the whole store into its one file, so that it can be moved. SQLite does that only while nobody else has it open. False: it is no
 * store any more, and what lies beside it belongs to it. Throws `store_locked`.
 */
export function closeStore(path: string): boolean {
  if (!existsSync(path)) return true
  // SQLite removes what it finds beside a file that it does not know.
  if (!isDatabase(path)) return false
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    const { journal_mode: mode } = database.prepare('pragma journal_mode=delete').get() ?? {}
    if (mode !== 'delete') throw new ReeveError('store_locked', { path })
    return true
  } catch (error) {
    if (error instanceof ReeveError) throw error
    if (isBusy(error)) throw new ReeveError('store_locked', { path })
    return false
  } finally {
    database.close()
  }
}

function isDatabase(path: string): boolean {
  const start = Buffer.alloc(16)
  const file = openSync(path, 'r')
  try {
    readSync(file, start, 0, 16, 0)
  } finally {
    closeSync(file)
  }
  return start.toString('latin1') === 'SQLite format 3\0'
}
