import { randomBytes } from 'node:crypto'
import { constants, type Stats } from 'node:fs'
import { type FileHandle, lstat, mkdir, open, readdir, realpath, rename, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { ReeveError } from '../core/errors.ts'

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants
// Without O_NONBLOCK a planted FIFO would hold a thread for ever.
const READ = O_RDONLY | O_NOFOLLOW | O_NONBLOCK
const FOLDER = O_RDONLY | O_DIRECTORY | O_NOFOLLOW
const NEW = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW

/** Files being written have this name until they are whole; they never count as part of a tree. */
export const UNFINISHED = '.reeve-write-'

export interface FolderEntry {
  name: string
  /** `other`: a link, a pipe, a device: nothing that a tool reads. */
  kind: 'file' | 'folder' | 'other'
}

/**
 * A path below a root, with `/`, as a person, a model or a file names it. Returns it as it is, or throws `path_refused` with the reason.
 * This looks at the text only; `readFileIn` and its like also make sure that no link leads out.
 */
export function checkRelative(path: string): string {
  const refuse = (problem: string): never => {
    throw new ReeveError('path_refused', { path: path.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '?'), problem })
  }
  if (path === '') refuse('it is empty')
  if (path.includes('\0')) refuse('it contains a NUL character')
  if (/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(path)) refuse('it contains control or invisible characters')
  if (path.startsWith('/')) refuse('it is absolute; give a path from the root of the project')
  if (/^[A-Za-z]:[\\/]/.test(path)) refuse('it is absolute; give a path from the root of the project')
  if (Buffer.byteLength(path) > 4096) refuse('it is longer than 4096 bytes')
  for (const name of path.split('/')) {
    if (name === '') refuse('it has an empty part (a double or trailing "/")')
    if (name === '.' || name === '..') refuse(`it has the part "${name}"`)
    if (Buffer.byteLength(name) > 255) refuse('a part of it is longer than 255 bytes')
    if (isGitName(name)) refuse('".git" belongs to reeve and git')
  }
  return path
}

/**
 * A path that a file is to be made at: names that another system could not check out, or that a person or a program would take for something
 * else, are refused. Files that have such a name already are left in peace. Throws `path_refused`.
 */
export function checkNewName(path: string): string {
  for (const name of checkRelative(path).split('/')) {
    const problem = newNameProblem(name)
    if (problem !== null) throw new ReeveError('path_refused', { path, problem })
  }
  return path
}

// Windows takes these for devices, with any extension.
const DEVICE = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?$/i

function newNameProblem(name: string): string | null {
  if (/[. ]$/.test(name)) return 'a part of it ends with a blank or a dot, which some systems drop'
  if (name.startsWith(' ')) return 'a part of it begins with a blank'
  if (name.startsWith('-')) return 'a part of it begins with "-", which programs take for an option'
  if (name.includes(':')) return 'it contains ":", which some systems take for a drive or a stream'
  if (name.includes('\\')) return 'it contains "\\", which some systems take for a folder'
  if (DEVICE.test(name)) return `"${name}" is the name of a device on some systems`
  // Other blanks, and fillers that show nothing.
  return /[^\P{Zs} ]|[\u115F\u1160\u3164\uFFA0\u2800]/u.test(name) ? 'it contains characters that look like nothing or like a blank' : null
}

/** `.git` and the other spellings that some file systems take for it. */
function isGitName(name: string): boolean {
  const plain = name.normalize('NFKC').toLowerCase()
  return /^\.git[. ]*(?::.*)?$/.test(plain) || /^git~\d+$/.test(plain)
}

/** Content of a regular file, null when there is none. Throws `path_refused`, also for a file larger than `maxBytes`. */
export async function readFileIn(root: string, relative: string, maxBytes: number): Promise<Uint8Array | null> {
  return await orMissing(
    within(root, relative, async (folder, name) => {
      const file = await open(folder.at(name), READ).catch((error: unknown) => refusal(error, folder.at(name), relative))
      try {
        const stats = await file.stat()
        checkKind(stats, relative)
        if (stats.size > maxBytes) throw refused(relative, `it has ${stats.size} bytes, more than the ${maxBytes} that may be read`)
        return await readAtMost(file, maxBytes, relative)
      } finally {
        await file.close()
      }
    }),
  )
}

/** Reads to the end; a file that grows meanwhile does not get past the limit. */
async function readAtMost(file: FileHandle, maxBytes: number, relative: string): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let total = 0
  for (;;) {
    const chunk = Buffer.allocUnsafe(64 * 1024)
    const { bytesRead } = await file.read(chunk, 0, chunk.length, null)
    if (bytesRead === 0) return Buffer.concat(chunks)
    total += bytesRead
    if (total > maxBytes) throw refused(relative, `it has more than the ${maxBytes} bytes that may be read`)
    chunks.push(chunk.subarray(0, bytesRead))
  }
}

async function orMissing<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work
  } catch (error) {
    if (error instanceof ReeveError && error.code === 'file_not_found') return null
    throw error
  }
}

/**
 * Writes a whole file, making folders on the way: either the old or the new content is there, never a part. Keeps the mode of a file that
 * was there unless another one is asked for; refuses links, hard links and whatever is not a regular file.
 */
export async function writeFileIn(
  root: string,
  relative: string,
  content: string | Uint8Array,
  options: { mode?: number } = {},
): Promise<void> {
  await within(
    root,
    relative,
    async (folder, name) => {
      const before = await statOf(folder, name, relative)
      if (before && before.nlink !== 1) throw refused(relative, 'it is a hard link, so the same file has another name elsewhere')
      const unfinished = folder.at(`${UNFINISHED}${randomBytes(6).toString('hex')}`)
      const file = await open(unfinished, NEW, options.mode ?? 0o644).catch((error: unknown) => refusal(error, unfinished, relative))
      try {
        await file.writeFile(content)
        if (before && options.mode === undefined) await file.chmod(before.mode & 0o777)
        await file.close()
        await rename(unfinished, folder.at(name))
      } catch (error) {
        await file.close().catch(() => {})
        await unlink(unfinished).catch(() => {})
        throw await refusalOf(error, folder.at(name), relative)
      }
    },
    { makeFolders: true },
  )
}

/** Removes a file or a link (never what it points at). A missing one throws `file_not_found`, unless `missing` is `ok`. */
export async function deleteFileIn(root: string, relative: string, options: { missing?: 'ok' } = {}): Promise<void> {
  const work = within(root, relative, async (folder, name) => {
    const stats = await lstat(folder.at(name)).catch((error: unknown) => refusal(error, folder.at(name), relative))
    if (stats.isDirectory()) throw refused(relative, 'it is a folder')
    await unlink(folder.at(name)).catch((error: unknown) => refusal(error, folder.at(name), relative))
  })
  await (options.missing === 'ok' ? orMissing(work) : work)
}

/** What is in a folder, sorted by name; `.` is the root. `.git` is left out. */
export async function listDirIn(root: string, relative: string): Promise<FolderEntry[]> {
  if (relative === '.' || relative === '') {
    return await list(await rootFolder(root))
  }
  return await within(root, relative, async (parent, name) => {
    return await list(await stepInto(parent, name, relative))
  })
}

async function list(folder: Folder): Promise<FolderEntry[]> {
  try {
    const entries = await readdir(folder.here(), { withFileTypes: true })
    return entries
      .filter((it) => !isGitName(it.name))
      .map((it): FolderEntry => ({ name: it.name, kind: it.isFile() ? 'file' : it.isDirectory() ? 'folder' : 'other' }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
  } finally {
    await folder.close()
  }
}

/** An open folder. Names in it are resolved from its descriptor, so that nobody can swap a folder above for a link meanwhile. */
interface Folder {
  at(name: string): string
  here(): string
  close(): Promise<void>
}

async function within<T>(
  root: string,
  relative: string,
  act: (folder: Folder, name: string) => Promise<T>,
  options: { makeFolders?: boolean } = {},
): Promise<T> {
  const names = checkRelative(relative).split('/')
  const last = names.pop() ?? ''
  let folder = await rootFolder(root)
  try {
    for (const name of names) {
      if (options.makeFolders) await makeFolder(folder, name)
      const next = await stepInto(folder, name, relative)
      await folder.close()
      folder = next
    }
    return await act(folder, last)
  } finally {
    await folder.close()
  }
}

async function rootFolder(root: string): Promise<Folder> {
  const handle = await open(root, FOLDER).catch(() => {
    throw new ReeveError('file_not_found', { path: root })
  })
  return process.platform === 'linux' ? byDescriptor(handle) : byPath(handle, await realpath(root))
}

async function stepInto(folder: Folder, name: string, relative: string): Promise<Folder> {
  const path = folder.at(name)
  const handle = await open(path, FOLDER).catch((error: unknown) => refusal(error, path, relative))
  if (process.platform === 'linux') return byDescriptor(handle)
  // No way to walk by descriptors: look again after opening that the path still is where it says.
  const real = await realpath(path).catch(() => '')
  if (real === path) return byPath(handle, path)
  await handle.close()
  throw refused(relative, `"${name}" is a symbolic link`)
}

function byDescriptor(handle: FileHandle): Folder {
  const here = `/proc/self/fd/${handle.fd}`
  return { at: (name) => `${here}/${name}`, here: () => `${here}/`, close: () => handle.close() }
}

function byPath(handle: FileHandle, path: string): Folder {
  return { at: (name) => join(path, name), here: () => path, close: () => handle.close() }
}

async function makeFolder(folder: Folder, name: string): Promise<void> {
  await mkdir(folder.at(name), 0o755).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST' && error.code !== 'EACCES') throw error
  })
}

async function statOf(folder: Folder, name: string, relative: string): Promise<Stats | null> {
  const stats = await lstat(folder.at(name)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (stats) checkKind(stats, relative)
  return stats
}

function checkKind(stats: Stats, relative: string): void {
  if (stats.isFile()) return
  if (stats.isSymbolicLink()) throw refused(relative, 'it is a symbolic link')
  throw refused(relative, stats.isDirectory() ? 'it is a folder' : 'it is not a regular file')
}

function refused(path: string, problem: string): ReeveError {
  return new ReeveError('path_refused', { path, problem })
}

async function refusal(error: unknown, path: string, relative: string): Promise<never> {
  throw await refusalOf(error, path, relative)
}

async function isLink(path: string): Promise<boolean> {
  const stats = await lstat(path).catch(() => null)
  return stats?.isSymbolicLink() ?? false
}

/** The error for a caller, made from the system's. */
async function refusalOf(problem: unknown, path: string, relative: string): Promise<Error> {
  const { code = '' } = problem as NodeJS.ErrnoException
  if (code === 'ENOENT') return new ReeveError('file_not_found', { path: relative })
  if (code === 'ELOOP' || code === 'ENOTDIR') {
    const link = await isLink(path)
    return refused(relative, link || code === 'ELOOP' ? 'a part of it is a symbolic link' : 'a part of it is not a folder')
  }
  if (code === 'EACCES' || code === 'EPERM') return refused(relative, 'its permissions forbid it')
  if (code === 'EISDIR' || code === 'ENOTEMPTY' || code === 'EEXIST') return refused(relative, 'it is a folder')
  if (code === 'ENXIO' || code === 'EOPNOTSUPP') return refused(relative, 'it is not a regular file')
  return problem as Error
}
