import { randomBytes } from 'node:crypto'
import { rename, rm, writeFile } from 'node:fs/promises'

/** Writes a file that programs are shown. It is put in place whole: others read it, and write it, at the same moment. */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  const unfinished = `${path}.${randomBytes(6).toString('hex')}`
  try {
    await writeFile(unfinished, content, { mode: 0o644, flag: 'wx' })
    await rename(unfinished, path)
  } catch (error) {
    await rm(unfinished, { force: true })
    throw error
  }
}

/** A file beside a git directory that leads to it, as the `.git` file of a worktree does. */
export async function gitLink(git: string): Promise<string> {
  const path = `${git}.link`
  await writeWhole(path, `gitdir: ${git}\n`)
  return path
}
