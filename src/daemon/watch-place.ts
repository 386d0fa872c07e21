import { stat } from 'node:fs/promises'
import type { Clock } from '../core/clock.ts'
import { lockFile } from './lock.ts'
import { type Place, readPlace, writePlace } from './place.ts'

export interface PlaceWatch {
  folder: string
  place: Place
  clock: Clock
  /** Aborting it ends the watch: it resolves. */
  signal: AbortSignal
}

// Somebody who has removed a data folder does not wait for its daemon; two small looks.
const LOOK_MS = 5000

/**
 * Resolves true when the folder, or the lock in it, is not the one that this daemon began with: somebody has removed it, another daemon may work
 * there, and nobody finds this one any more. A place file that is gone is written again.
 */
export async function lostItsPlace({ folder, place, clock, signal }: PlaceWatch): Promise<boolean> {
  const own = await inodeOf(lockFile(folder))
  while (!signal.aborted) {
    await clock.sleep(LOOK_MS, signal).catch(() => undefined)
    if (signal.aborted) return false
    if ((await inodeOf(lockFile(folder))) !== own) return true
    const there = await readPlace(folder).catch(() => null)
    // A full disk now is no reason: the next look tries it again.
    if (there?.pid !== place.pid) await writePlace(folder, place).catch(() => undefined)
  }
  return false
}

async function inodeOf(path: string): Promise<number | null> {
  const found = await stat(path).catch(() => null)
  return found?.ino ?? null
}
