import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type GitPlace, git, items } from './git.ts'

/** A file or folder called `.git`, in any case, that is not the worktree's own. */
export interface NestedGit {
  path: string
  /** The folder it is in, '' for the top. */
  holder: string
  name: string
  folder: boolean
}

/**
 * Every `.git` below a work tree. Ignored folders are not searched: what is in them is ignored, too. Needed because git passes over
 * anything of this name in silence, and refuses other spellings of it.
 */
export async function findNestedGit(place: GitPlace & { workTree: string }, excludesFile: string): Promise<NestedGit[]> {
  const listing = await git(place, ['ls-files', '-z', '--others', '--ignored', '--exclude-standard', '--directory'], { excludesFile })
  const ignored = new Set(items(listing).map((it) => it.replace(/\/$/, '')))
  const found: NestedGit[] = []
  const queue = ['']
  while (queue.length > 0) {
    // A few folders at once: a whole level of a large tree would hold too many open.
    await Promise.all(queue.splice(0, 32).map(look))
  }
  return found.toSorted((a, b) => (a.path < b.path ? -1 : 1))

  async function look(holder: string): Promise<void> {
    const entries = await readdir(join(place.workTree, holder), { withFileTypes: true }).catch(() => [])
    for (const entry of entries) {
      const { name } = entry
      const path = holder === '' ? name : `${holder}/${name}`
      const folder = entry.isDirectory()
      if (name.toLowerCase() !== '.git') {
        if (folder && !ignored.has(path)) queue.push(path)
      } else if (path !== '.git' || folder) found.push({ path, holder, name, folder })
    }
  }
}

/** Is there a folder, file or link of this name? */
export async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => null)) !== null
}
