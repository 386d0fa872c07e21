import { chmod, copyFile, lstat, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** Is this a folder itself, not a link to one? */
export async function isFolder(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => null))?.isDirectory() ?? false
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
    if (code !== 'EACCES' && code !== 'EPERM') throw error
    await openUp(folder, { files: false })
    await rm(folder, options)
  }
}

/** Gives the owner all rights on the folders below one, with `files` also the right to read on its files. Links are not followed. */
export async function openUp(folder: string, { files }: { files: boolean }): Promise<void> {
  await chmod(folder, 0o700).catch(() => {})
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  for (const entry of entries) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) await openUp(path, { files })
    else if (files && entry.isFile()) await chmod(path, 0o600).catch(() => {})
  }
}
