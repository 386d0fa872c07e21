import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Folders } from '../../config/home.ts'
import type { Clock } from '../../core/clock.ts'
import { problemOf, ReeveError } from '../../core/errors.ts'
import { MIGRATIONS } from '../../store/schema.ts'
import { alone } from './alone.ts'
import { copyFileTo, hashFile, type KeptFile } from './files.ts'
import { type Manifest, PARTS, readManifest, unusable } from './manifest.ts'
import { type Places, placesOf, putInPlace } from './put-in-place.ts'

export interface RestoreOptions {
  from: string
  folders: Pick<Folders, 'state' | 'data'>
  version: string
  clock: Pick<Clock, 'now'>
  signal: AbortSignal
}

export interface Restored {
  manifest: Manifest
  /** Runs that were at work when the backup was made: they begin their step again. */
  atWork: number
  /** Where what was there before lies now; null: there was nothing. */
  before: string | null
}

/** Reads a whole backup and says whether it could be restored by this reeve; changes nothing. Throws `backup_mismatch`. */
export async function checkBackup({ from, version, signal }: Pick<RestoreOptions, 'from' | 'version' | 'signal'>): Promise<Manifest> {
  const manifest = await readManifest(from)
  mustFit(from, manifest, version)
  for (const file of manifest.files) {
    signal.throwIfAborted()
    mustMatch(from, file, await hashFile(join(from, file.path)))
  }
  return manifest
}

/**
 * Puts the state of a backup in the place of what is there. Everything is copied beside its place and checked before anything is changed; the
 * store, which decides, is put in place last and at once. Throws `backup_mismatch`, `daemon_running`, `store_locked`.
 */
export function restoreBackup(options: RestoreOptions): Promise<Restored> {
  const { from, folders, version, signal, clock } = options
  return alone(folders.state, async () => {
    const manifest = await readManifest(from)
    mustFit(from, manifest, version)
    const places = placesOf(folders, clock.now())
    try {
      for (const folder of [places.stagedState, places.stagedData]) {
        await rm(folder, { recursive: true, force: true })
        await mkdir(folder, { recursive: true, mode: 0o700 })
      }
      for (const file of manifest.files) {
        signal.throwIfAborted()
        mustMatch(from, file, await copyFileTo(join(from, file.path), places.staged(file.path)))
      }
      const atWork = checkStore(from, places.staged(PARTS.store), manifest)
      // From here on it is done or undone, whatever the caller wants by now.
      const before = await putInPlace(places, manifest)
      return { manifest, atWork, before }
    } finally {
      await clean(places)
    }
  })
}

async function clean({ stagedState, stagedData }: Places): Promise<void> {
  for (const folder of [stagedState, stagedData]) await rm(folder, { recursive: true, force: true })
}

/** Older ones are brought forward when the store is opened; newer ones hold what this reeve does not know. */
function mustFit(from: string, manifest: Manifest, version: string): void {
  const unknown = manifest.migrations.filter((it) => !Object.hasOwn(MIGRATIONS, it))
  if (unknown.length > 0) {
    throw unusable(
      from,
      `reeve ${manifest.reeve} has made it, and its store has had "${unknown.join('", "')}", which this reeve ${version} does not know`,
    )
  }
  if (!manifest.files.some((it) => it.path === PARTS.store)) throw unusable(from, 'there is no store in it')
  const paths = manifest.files.map((it) => it.path)
  if (new Set(paths).size !== paths.length) throw unusable(from, 'it names a file twice')
}

function mustMatch(from: string, file: KeptFile, found: { bytes: number; sha256: string } | null): void {
  if (found === null) throw unusable(from, `"${file.path}" is missing or is no plain file`)
  if (found.bytes !== file.bytes || found.sha256 !== file.sha256)
    throw unusable(from, `"${file.path}" is damaged: it is not what was written`)
}

/** Runs that were at work; throws where SQLite finds damage, or where the store is not the one that the manifest tells of. */
function checkStore(from: string, path: string, manifest: Manifest): number {
  const database = new DatabaseSync(path)
  try {
    // One file and nothing beside it, so that it can be moved.
    database.exec('pragma journal_mode=delete')
    const rows = (sql: string) =>
      database
        .prepare(sql)
        .all()
        .map((it) => Object.values(it)[0])
    const problems = rows('pragma quick_check(5)').filter((it) => it !== 'ok')
    if (problems.length > 0) throw unusable(from, `its store is damaged: ${problems.join('; ')}`)
    const had = rows('select name from kysely_migration order by name')
    if (had.join() !== manifest.migrations.join()) throw unusable(from, 'its store is not the one that its manifest tells of')
    return Number(rows("select count(*) from runs where state = 'running'")[0])
  } catch (error) {
    throw error instanceof ReeveError ? error : unusable(from, `its store is damaged: ${problemOf(error)}`)
  } finally {
    database.close()
  }
}
