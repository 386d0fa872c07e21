import { chmod, mkdir, open, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Folders } from '../../config/home.ts'
import type { Clock } from '../../core/clock.ts'
import { problemOf, ReeveError } from '../../core/errors.ts'
import type { Store } from '../../store/open.ts'
import { copyFileTo, filesBelow, hashFile, type KeptFile } from './files.ts'
import { FORMAT, isNotState, MANIFEST, type Manifest, PARTS } from './manifest.ts'

export interface BackupOptions {
  store: Pick<Store, 'backup' | 'listRuns' | 'migrations'>
  folders: Pick<Folders, 'state' | 'data'>
  /** Where it is made; nothing may be there yet. */
  to: string
  version: string
  clock: Pick<Clock, 'now'>
  signal: AbortSignal
}

/**
 * Writes everything that cannot be made again into a new folder, while runs go on. The store is copied by SQLite itself, as it is at one
 * moment; files beside it are copied after that, so that what the store names is there. Removes what it has made when it fails.
 */
export async function makeBackup(options: BackupOptions): Promise<Manifest> {
  const { store, to, version, clock } = options
  await makeFolder(to)
  try {
    const migrations = await store.migrations()
    await store.backup(join(to, PARTS.store))
    await chmod(join(to, PARTS.store), 0o600)
    // Asked after the copy: a run that was submitted meanwhile has no workspace that the copy knows of.
    const unfinished = await unfinishedRuns(store)
    const files = [await keptStore(to), ...(await copyAll(options, unfinished))]
    const manifest: Manifest = {
      format: FORMAT,
      reeve: version,
      createdAt: new Date(clock.now()).toISOString(),
      migrations,
      unfinished,
      files,
    }
    await writeLast(join(to, MANIFEST), JSON.stringify(manifest, null, 2))
    return manifest
  } catch (error) {
    await rm(to, { recursive: true, force: true })
    throw error
  }
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const why = code === 'EEXIST' ? 'it is there already' : problemOf(error)
    throw new ReeveError('invalid_input', { problem: `The backup "${path}" cannot be made: ${why}.` }, { cause: error })
  }
}

async function keptStore(to: string): Promise<KeptFile> {
  const found = await hashFile(join(to, PARTS.store))
  if (found === null) throw new ReeveError('internal', { problem: 'the copy of the store is not there' })
  return { path: PARTS.store, ...found }
}

const PAGE = 500

async function unfinishedRuns(store: Pick<Store, 'listRuns'>): Promise<string[]> {
  const ids: string[] = []
  for (;;) {
    const last = ids.at(-1)
    const filter = { states: ['queued', 'running', 'waiting'] as const, limit: PAGE, ...(last === undefined ? {} : { after: last }) }
    const page = await store.listRuns(filter)
    ids.push(...page.map((it) => it.id))
    if (page.length < PAGE) return ids
  }
}

/** What lies where, and what of it: the store itself and what only counts for a living process are left out. */
function sourcesOf(
  { state, data }: BackupOptions['folders'],
  unfinished: readonly string[],
): [folder: string, part: string, leaveOut: (path: string) => boolean][] {
  return [
    [state, PARTS.state, isNotState],
    [join(state, 'logs'), PARTS.logs, (path) => !path.endsWith('.ndjson')],
    [join(data, 'evidence'), PARTS.evidence, () => false],
    ...unfinished.map((run): [string, string, (path: string) => boolean] => [
      join(data, 'runs', run),
      `${PARTS.workspaces}/${run}`,
      isNotWorkspace,
    ]),
  ]
}

/** Of a workspace its record and its private git dir, from which its files are made again; locks and halves are no part of it. */
function isNotWorkspace(path: string): boolean {
  return (
    !(path === 'workspace.json' || path === 'installed' || path === 'git' || path.startsWith('git/')) ||
    /\.lock$|\/tmp_obj_[^/]*$/.test(path)
  )
}

async function copyAll({ folders, to, signal }: BackupOptions, unfinished: readonly string[]): Promise<KeptFile[]> {
  const kept: KeptFile[] = []
  const copy = async (from: string, path: string): Promise<void> => {
    signal.throwIfAborted()
    const copied = await copyFileTo(from, join(to, path))
    // Gone meanwhile: a temporary file, or a run that was cleaned.
    if (copied !== null) kept.push({ path, ...copied })
  }
  for (const [folder, part, leaveOut] of sourcesOf(folders, unfinished)) {
    for (const path of objectsLast(await filesBelow(folder, leaveOut))) await copy(join(folder, path), `${part}/${path}`)
  }
  await copy(join(folders.data, 'models.json'), PARTS.models)
  return kept
}

/** In a git dir refs before objects: what a ref names is then among the objects, also when the run goes on meanwhile. */
function objectsLast(paths: readonly string[]): string[] {
  const isObject = (path: string) => path.startsWith('git/objects/')
  return [...paths.filter((it) => !isObject(it)), ...paths.filter(isObject)]
}

async function writeLast(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}
