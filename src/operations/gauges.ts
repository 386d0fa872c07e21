import { channel } from 'node:diagnostics_channel'
import { readdir, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Folders } from '../config/home.ts'
import type { Store } from '../store/open.ts'
import type { Labels, Metrics, Reading } from '../telemetry/metrics.ts'
import { GIT_CALLS, type GitCall } from '../workspace/git.ts'

export interface GaugesOptions {
  metrics: Metrics
  store: Pick<Store, 'routing' | 'bytes' | 'queue'>
  folders: Pick<Folders, 'state' | 'data'>
}

/** What is so at the time of a scrape: a few reads of small tables and of folders, whatever the store holds. */
export function measureState({ metrics, store, folders }: GaugesOptions): void {
  measureBreakers(metrics, store)
  measureFolders(metrics, folders)
  let paused = 0
  metrics.beforeScrape(async () => {
    paused = (await store.queue.pauses()).length
  })
  metrics.gauge('reeve_queue_pauses', 'Pauses of the queue in force, of all projects or of one.', () => [[paused]])
  metrics.gauge('reeve_store_bytes', 'Size of the store.', () => [[store.bytes()]])
}

const SHUT = 1
const TRIED = 0.5

function measureBreakers(metrics: Metrics, store: Pick<Store, 'routing'>): void {
  let states: Reading[] = []
  metrics.beforeScrape(async () => {
    states = []
    const worst = new Map<string, number>()
    for (const { key, openFor } of await store.routing.allBreakers()) {
      // What comes after the name tells settings and keys apart: two of a name are one series, the worse one.
      const provider = key.replace(/#[0-9a-f]+$/, '')
      const state = openFor === null ? 0 : openFor > 0 ? SHUT : TRIED
      worst.set(provider, Math.max(worst.get(provider) ?? 0, state))
    }
    states = [...worst].map(([provider, state]): [number, Labels] => [state, { provider }])
  })
  const help = 'Providers that have failed lately: 1 is left alone, 0.5 may be tried again, 0 is asked as usual.'
  metrics.gauge('reeve_provider_breaker_state', help, () => states)
}

function measureFolders(metrics: Metrics, folders: GaugesOptions['folders']): void {
  let worktrees: number | null = null
  let free: Reading[] = []
  metrics.beforeScrape(async () => {
    worktrees = (await readdir(join(folders.data, 'runs')).catch(() => [])).length
    const found = await Promise.all([freeBytes(folders.state), freeBytes(folders.data)])
    free = found.flatMap((it, at) => (it === null ? [] : [[it, { folder: at === 0 ? 'state' : 'data' }] as const]))
  })
  metrics.gauge('reeve_worktrees', 'Workspaces of runs that lie on the disk.', () => (worktrees === null ? [] : [[worktrees]]))
  metrics.gauge('reeve_disk_free_bytes', 'Room on the disks of the store and of the workspaces.', () => free)
}

/** Room that an ordinary user may fill, also for a folder that is yet to be made; null where nobody tells. */
export async function freeBytes(folder: string): Promise<number | null> {
  const found = await statfs(folder).catch(() => null)
  if (found !== null) return found.bavail * found.bsize
  return dirname(folder) === folder ? null : freeBytes(dirname(folder))
}

const QUICK = [0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30, 120]

/** Counts calls of git, wherever they are made. Returns what ends it. */
export function measureGit(metrics: Metrics): () => void {
  const calls = metrics.counter('reeve_git_operations_total', 'Calls of git; result: ok, no (it has answered no), ended (it was killed).')
  const duration = metrics.histogram('reeve_git_duration_seconds', 'Time of a call of git.', QUICK)
  const listen = (message: unknown): void => {
    const { command, result, ms } = message as GitCall
    calls({ command, result })
    duration({ command }, ms / 1000)
  }
  const git = channel(GIT_CALLS)
  git.subscribe(listen)
  return () => {
    git.unsubscribe(listen)
  }
}
