import { constants } from 'node:fs'
import { chmod, type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { problemOf, ReeveError } from '../core/errors.ts'

/**
 * Makes a folder that only its owner may look into, and checks one that is there: what lies in it decides who may call us. Throws
 * `environment` for one of somebody else, or that others may write to.
 */
export async function privateFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 })
  const found = await stat(path)
  if (!found.isDirectory()) throw unsafe(path, 'is no folder')
  if (isForeign(found.uid)) throw unsafe(path, 'belongs to another user')
  if ((found.mode & 0o022) !== 0) throw unsafe(path, 'may be written to by others', `chmod 700 ${path}`)
  if ((found.mode & 0o077) !== 0) await chmod(path, 0o700)
}

/** Content of a file that only its owner may read and write; null: there is none. Throws `environment` for a link, somebody else's, one open to others. */
export async function readPrivate(path: string): Promise<string | null> {
  const file = await openOwn(path)
  if (file === null) return null
  try {
    const found = await file.stat()
    if (!found.isFile()) throw unsafe(path, 'is no plain file')
    if (isForeign(found.uid)) throw unsafe(path, 'belongs to another user')
    if ((found.mode & 0o077) !== 0) throw unsafe(path, 'may be read by others', `rm ${path}`)
    return await file.readFile('utf8')
  } finally {
    await file.close()
  }
}

async function openOwn(path: string): Promise<FileHandle | null> {
  try {
    // Without NONBLOCK a pipe in its place would be waited for.
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return null
    if (code === 'ELOOP') throw unsafe(path, 'is a link', `rm ${path}`)
    throw unsafe(path, `cannot be read: ${problemOf(error)}`)
  }
}

/** Writes a file that only its owner may read and write, whole or not at all. */
export async function writePrivate(path: string, text: string): Promise<void> {
  // The global one, which is loaded when it is used: each command reads such files, and writes none.
  const made = `${path}.${crypto.randomUUID()}`
  try {
    // Only one that is new has the mode that is asked for.
    const file = await open(made, 'wx', 0o600)
    try {
      await file.writeFile(text)
      await file.datasync()
    } finally {
      await file.close()
    }
    await rename(made, path)
  } catch (error) {
    await rm(made, { force: true })
    throw unsafe(path, `cannot be written: ${problemOf(error)}`)
  }
}

function isForeign(uid: number): boolean {
  const own = process.getuid?.()
  return own !== undefined && uid !== own
}

function unsafe(path: string, what: string, how?: string): ReeveError {
  return new ReeveError('environment', { problem: `"${path}" ${what}.${how === undefined ? '' : ` If nobody was meant to: ${how}`}` })
}
