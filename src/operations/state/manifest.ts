import { lstat, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { problemOf, ReeveError } from '../../core/errors.ts'
import { parseJson } from '../../core/json.ts'

/** Written last: a folder without it is no backup. */
export const MANIFEST = 'manifest.json'
/** Raised when a backup is laid out otherwise. */
export const FORMAT = 1

/** First parts of the paths in a backup, and what lies there. */
export const PARTS = {
  store: 'store.db',
  /** Small files beside the store. */
  state: 'state',
  logs: 'logs',
  evidence: 'evidence',
  models: 'models.json',
  workspaces: 'workspaces',
} as const

const file = z.strictObject({
  path: z.string().refine(isSafePath, 'must be a plain path within the backup'),
  bytes: z.int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
})

export const manifestSchema = z.object({
  format: z.int(),
  /** Version of reeve that has made it. */
  reeve: z.string(),
  createdAt: z.string(),
  /** What the store in it has had. */
  migrations: z.array(z.string()),
  /** Runs in it that had not ended. */
  unfinished: z.array(z.string()),
  files: z.array(file),
})
export type Manifest = z.infer<typeof manifestSchema>

/** Folders, the store, locks with what SQLite keeps beside them, and what tells where a daemon is and how to be let in by it. */
export function isNotState(path: string): boolean {
  return (
    path.includes('/') ||
    /^store\.db|\.db(?:-\w+)?$|\.sock$|^daemon\.json|^token$|^(?:logs|nodes|restoring)$|^before-restore-|\.[0-9a-f]{12}$/.test(path)
  )
}

/** Parts between slashes that are names and nothing else, below one of the known parts. */
function isSafePath(path: string): boolean {
  const names = path.split('/')
  const plain = names.every((it) => it !== '' && it !== '.' && it !== '..' && !/[\0\\]/.test(it))
  // Whoever wrote it would choose which token the next daemon takes, and where commands look for it.
  const isLeftOut = names[0] === PARTS.state && isNotState(names.slice(1).join('/'))
  return plain && !isLeftOut && path.length <= 4096 && (Object.values(PARTS) as string[]).includes(names[0] ?? '')
}

const LARGEST = 256 * 1024 * 1024

export function unusable(path: string, problem: string): ReeveError {
  return new ReeveError('backup_mismatch', { path, problem })
}

/** What a backup says of itself. Throws `backup_mismatch` where it is none, is of another layout, or could have been changed by others. */
export async function readManifest(folder: string): Promise<Manifest> {
  await mustBeOwn(folder, folder, 'folder')
  const path = join(folder, MANIFEST)
  const { size } = await mustBeOwn(folder, path, 'file')
  if (size > LARGEST) throw unusable(folder, `its ${MANIFEST} is too large`)
  const value = parseJson(await readFile(path, 'utf8'), path)
  const format = typeof value === 'object' && value !== null && !Array.isArray(value) ? value['format'] : undefined
  if (format !== FORMAT) throw unusable(folder, `its layout is number ${JSON.stringify(format)}, and this reeve knows number ${FORMAT}`)
  const read = manifestSchema.safeParse(value)
  if (!read.success) throw unusable(folder, `its ${MANIFEST} is damaged: ${z.prettifyError(read.error).split('\n')[0]}`)
  return read.data
}

/** Whoever may write to a backup decides what the restored state holds: keys, trust, runs. */
async function mustBeOwn(folder: string, path: string, kind: 'folder' | 'file') {
  const found = await lstat(path).catch((error: unknown) => {
    throw unusable(folder, kind === 'file' ? `there is no ${MANIFEST} in it, so it is no backup or was not finished` : problemOf(error))
  })
  if (kind === 'folder' ? !found.isDirectory() : !found.isFile()) throw unusable(folder, `"${path}" is no plain ${kind}`)
  const own = process.getuid?.()
  if (own !== undefined && found.uid !== own) throw unusable(folder, `"${path}" belongs to another user`)
  if ((found.mode & 0o022) !== 0) throw unusable(folder, `"${path}" may be written to by others; if nobody did: chmod -R go-w "${folder}"`)
  return found
}
