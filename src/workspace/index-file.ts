import { copyFile, rename, stat, utimes } from 'node:fs/promises'

/**
 * Copies an index with its time. git takes a file whose time is not older than its index's for possibly changed and reads it; a copy with a
 * later time would hide an edit that was made in the same second and left the size as it was.
 */
export async function copyIndex(from: string, to: string): Promise<void> {
  const { mtimeMs } = await stat(from)
  await copyFile(from, to)
  const seconds = Math.floor(mtimeMs) / 1000
  await utimes(to, seconds, seconds)
}

/** Puts a copy of an index in the place of another one, in one move. */
export async function replaceIndex(from: string, to: string): Promise<void> {
  await copyIndex(from, `${to}.reeve`)
  await rename(`${to}.reeve`, to)
}
