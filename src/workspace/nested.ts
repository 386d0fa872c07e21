import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type GitPlace, git, items } from './git.ts'

/**
 * Every `.git` below a work tree but the worktree's own file, as paths of the folders that hold them, '' for the top. Ignored folders are not searched: what is in them is
 * ignored, too. Needed because git passes over anything called `.git` in silence.
 */
export async function nestedGitFolders(place: GitPlace & { workTree: string }, excludesFile: string): Promise<string[]> {
  const listing = await git(place, ['ls-files', '-z', '--others', '--ignored', '--exclude-standard', '--directory'], { excludesFile })
  const ignored = new Set(items(listing).map((it) => it.replace(/\/$/, '')))
  const found: string[] = []
  const queue = ['']
  while (queue.length > 0) {
    // A few folders at once: a whole level of a large tree would hold too many open.
    await Promise.all(queue.splice(0, 32).map(look))
  }
  if ((await lstat(join(place.workTree, '.git')).catch(() => null))?.isDirectory()) found.push('') // in the place of the worktree's own file
  return found.toSorted()

  async function look(folder: string): Promise<void> {
    const entries = await readdir(join(place.workTree, folder), { withFileTypes: true }).catch(() => [])
    for (const entry of entries) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (entry.name.toLowerCase() === '.git') {
        if (folder !== '') found.push(folder)
      } else if (entry.isDirectory() && !ignored.has(path)) queue.push(path)
    }
  }
}

/** Is there a folder, file or link of this name? */
export async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => null)) !== null
}
