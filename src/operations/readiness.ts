import type { Folders } from '../config/home.ts'
import type { Store } from '../store/open.ts'
import type { ReadyCheck } from '../telemetry/pages.ts'
import { freeBytes } from './gauges.ts'

export interface ReadinessOptions {
  store: Pick<Store, 'probeWrite'>
  folders: Pick<Folders, 'state' | 'data'>
  /** Why the engine takes nothing; null: it is at work. */
  engine: () => string | null
  /** Has somebody asked this process to end? */
  draining: () => boolean
}

// Below this a run fails in the middle: a worktree and its dependencies alone may be as much.
const LEAST_FREE_BYTES = 200 * 1024 * 1024

/** What has to hold for this process to take new work. The sentences are told to everybody who asks: no path, no name. */
export function readiness({ store, folders, engine, draining }: ReadinessOptions): Readonly<Record<string, ReadyCheck>> {
  return {
    store: async () => {
      await store.probeWrite()
      return null
    },
    engine: async () => engine(),
    draining: async () => (draining() ? 'it is being stopped' : null),
    disk: async () => {
      const free = await Promise.all([freeBytes(folders.state), freeBytes(folders.data)])
      const least = Math.min(...free.map((it) => it ?? Number.POSITIVE_INFINITY))
      return least < LEAST_FREE_BYTES ? `${Math.floor(least / 1024 / 1024)} MB are free` : null
    },
  }
}
