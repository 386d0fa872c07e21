import { discover } from '../workspace/git.ts'

export interface ListedFile {
  /** From the root of the checkout, with `/`; ends in `/` for a repository within the repository. */
  path: string
  tracked: boolean
}

const LISTING = ['ls-files', '-t', '-z', '--cached', '--others', '--exclude-standard', '--deduplicate']

/** Tracked and untracked files that git does not ignore; null when git cannot say (no repository, no git, somebody else's repository). */
export async function gitFiles(root: string): Promise<ListedFile[] | null> {
  const result = await discover(root, LISTING)
  if (result.exitCode !== 0 || result.dropped > 0) return null
  return result.stdout.split('\0').flatMap((entry) => {
    // "H path" is tracked, "? path" is not; other letters are states of the index.
    const path = entry.slice(2)
    // Git prints what an index holds, also one that somebody has written by hand.
    const leadsOut = path.startsWith('/') || path.split('/').includes('..')
    return path === '' || leadsOut ? [] : [{ path, tracked: !entry.startsWith('?') }]
  })
}
