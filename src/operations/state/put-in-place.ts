import { existsSync } from 'node:fs'
import { copyFile, link, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Folders } from '../../config/home.ts'
import { closeStore } from './alone.ts'
import { hashFile } from './files.ts'
import { type Manifest, PARTS } from './manifest.ts'

/** Where files of a backup lie before they are put in place, where their place is, and where what was there goes. */
export interface Places {
  stagedState: string
  stagedData: string
  /** Folders for what was there: on the disk of its place, so that it can be moved. */
  beforeState: string
  beforeData: string
  staged(path: string): string
  target(path: string): string
  before(path: string): string
}

export function placesOf({ state, data }: Pick<Folders, 'state' | 'data'>, now: number): Places {
  const stamp = new Date(now).toISOString().replaceAll(/[-:]|\.\d+/g, '')
  const [stagedState, stagedData] = [join(state, 'restoring'), join(data, 'restoring')]
  const [beforeState, beforeData] = [join(state, `before-restore-${stamp}`), join(data, `before-restore-${stamp}`)]
  const isData = (path: string) => [PARTS.evidence, PARTS.workspaces, PARTS.models].some((it) => path === it || path.startsWith(`${it}/`))
  const rest = (path: string) => path.slice(path.indexOf('/') + 1)
  return {
    stagedState,
    stagedData,
    beforeState,
    beforeData,
    staged: (path) => join(isData(path) ? stagedData : stagedState, path),
    before: (path) => join(isData(path) ? beforeData : beforeState, path),
    target(path) {
      if (path.startsWith(`${PARTS.state}/`)) return join(state, rest(path))
      if (path.startsWith(`${PARTS.workspaces}/`)) return join(data, 'runs', rest(path))
      return join(isData(path) ? data : state, path)
    },
  }
}

/** Puts everything in place, the store last. What goes wrong before that is undone. Returns where the state of before lies. */
export async function putInPlace(places: Places, manifest: Manifest): Promise<string | null> {
  const undo: (() => Promise<void>)[] = []
  const store = places.target(PARTS.store)
  const whole = closeStore(store)
  // A workspace that is still there is at least as far as the one of the backup.
  const workspaces = manifest.files.filter((it) => it.path.startsWith(`${PARTS.workspaces}/`))
  const there = new Set(workspaces.map((it) => runOf(it.path)).filter((it) => existsSync(places.target(`${PARTS.workspaces}/${it}`))))
  const present = (path: string) => path.startsWith(`${PARTS.workspaces}/`) && there.has(runOf(path))
  try {
    for (const { path, sha256 } of manifest.files) {
      if (path === PARTS.store || present(path)) continue
      if ((await hashFile(places.target(path)))?.sha256 !== sha256) await place(places, path, undo)
    }
    return await placeStore(places, store, whole, undo)
  } catch (error) {
    for (const it of undo.toReversed()) await it().catch(() => undefined)
    throw error
  }
}

/** `workspaces/<run>/...`. */
function runOf(path: string): string {
  return path.split('/')[1] ?? ''
}

async function place(places: Places, path: string, undo: (() => Promise<void>)[]): Promise<void> {
  const [target, before] = [places.target(path), places.before(path)]
  await mkdir(dirname(target), { recursive: true, mode: 0o700 })
  if (existsSync(target)) {
    await mkdir(dirname(before), { recursive: true, mode: 0o700 })
    await rename(target, before)
    undo.push(() => rename(before, target))
  }
  await rename(places.staged(path), target)
  undo.push(() => rm(target, { force: true }))
}

/** The file that is there keeps its name until the new one has taken it: no moment without a store. */
async function placeStore(places: Places, store: string, whole: boolean, undo: (() => Promise<void>)[]): Promise<string | null> {
  const had = existsSync(store)
  if (had) {
    await mkdir(places.beforeState, { recursive: true, mode: 0o700 })
    const kept = places.before(PARTS.store)
    await link(store, kept).catch(() => copyFile(store, kept))
    // What could not be brought into the file is part of the damage, and would be taken for part of the new store.
    for (const tail of whole ? [] : ['-wal', '-shm', '-journal']) {
      if (!existsSync(store + tail)) continue
      await rename(store + tail, kept + tail)
      undo.push(() => rename(kept + tail, store + tail))
    }
  }
  await rename(places.staged(PARTS.store), store)
  await syncFolder(dirname(store))
  return had ? places.beforeState : null
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
