import { chmod, copyFile, lstat, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { searchPath } from '../process/env.ts'
import { runProgram } from '../process/run-program.ts'

/** Is this a folder itself, not a link to one? */
export async function isFolder(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => null))?.isDirectory() ?? false
}

/**
 * Is anything but a folder on the way from a root to a path below it? What is copied or removed there would be somewhere else: a change may
 * have committed a link in the place of a folder.
 */
export async function isBehindLink(root: string, path: string): Promise<boolean> {
  let at = root
  for (const name of path.split('/').slice(0, -1)) {
    at = join(at, name)
    const stats = await lstat(at).catch(() => null)
    if (stats === null) return false
    if (!stats.isDirectory()) return true
  }
  return false
}

/** Copies a file; one that is not there is not copied. */
export async function copyIfThere(from: string, to: string): Promise<void> {
  await copyFile(from, to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
}

/** Removes a folder, also one in which a program has made parts read-only, as Go does with its modules. */
export async function removeFolder(folder: string): Promise<void> {
  const options = { recursive: true, force: true, maxRetries: 5, retryDelay: 50 }
  try {
    await rm(folder, options)
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (code === 'ENAMETOOLONG') return await removeDeep(folder, error)
    if (code !== 'EACCES' && code !== 'EPERM') throw error
    await openUp(folder, { files: false })
    await rm(folder, options)
  }
}

/** The system's own program goes from folder to folder, where a path would be too long to name. */
async function removeDeep(folder: string, cause: unknown): Promise<void> {
  const env = { PATH: searchPath(process.env), LC_ALL: 'C' }
  const result = await runProgram({ argv: ['rm', '-rf', '--', folder], cwd: '/', env, timeoutMs: REMOVE_MS, trusted: true })
  if (result.exitCode !== 0) throw cause
}

// Some hundred thousand files on a slow disk.
const REMOVE_MS = 15 * 60_000

/** Gives the owner all rights on the folders below one, with `files` also the right to read on its files. Links are not followed. */
export async function openUp(folder: string, { files }: { files: boolean }): Promise<void> {
  if (!(await isFolder(folder))) return
  await chmod(folder, 0o700).catch(() => {})
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  for (const entry of entries) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) await openUp(path, { files })
    else if (files && entry.isFile()) await chmod(path, 0o600).catch(() => {})
  }
}
