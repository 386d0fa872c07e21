import { ReeveError } from '../core/errors.ts'
import { gitIn, items, outputOf, tryGit } from './git.ts'
import type { Project } from './port.ts'

/** The full commit id of a revision. Throws `unknown_revision`. */
export async function resolveCommit(project: Project, revision: string): Promise<string> {
  const unknown = new ReeveError('unknown_revision', { revision, path: project.root })
  if (revision === '' || revision.startsWith('-') || revision.includes('\0')) throw unknown
  if (revision === 'HEAD') return project.head
  // The common git dir has the main checkout's HEAD; the project may be a linked worktree with another.
  const meant = revision.replace(/^(?:HEAD|@)(?=$|[~^])/, project.head)
  const result = await tryGit({ gitDir: project.gitDir }, ['rev-parse', '--verify', '--quiet', `${meant}^{commit}`])
  const commit = result.stdout.trim()
  if (result.exitCode !== 0 || !/^[0-9a-f]{40,64}$/.test(commit)) throw unknown
  return commit
}

/** Content of a file at a commit, null when it is not there or is not a file. Text as UTF-8; what is not becomes U+FFFD. */
export async function showFile(project: Pick<Project, 'gitDir'>, commit: string, path: string): Promise<string | null> {
  const result = await tryGit({ gitDir: project.gitDir }, ['cat-file', 'blob', `${commit}:${path}`])
  if (result.exitCode === 0) return outputOf(result, ['cat-file'])
  await gitIn(project, ['cat-file', '-e', `${commit}^{commit}`]) // not a missing file but a missing commit: that is an error
  return null
}

/** Paths of all files at a commit; submodules are not files. */
export async function listFiles(project: Pick<Project, 'gitDir'>, commit: string): Promise<string[]> {
  return entriesOf(await gitIn(project, ['ls-tree', '-r', '-z', '--full-tree', commit]))
    .filter((it) => it.type === 'blob')
    .map((it) => it.path)
}

/** The best common ancestor of two commits, null when they have none. */
export async function mergeBase(project: Pick<Project, 'gitDir'>, a: string, b: string): Promise<string | null> {
  const result = await tryGit({ gitDir: project.gitDir }, ['merge-base', a, b])
  if (result.exitCode === 1 && result.stderr === '') return null
  return outputOf(result, ['merge-base']).trim()
}

export interface TreeEntry {
  mode: string
  type: string
  id: string
  path: string
}

/** Entries of `ls-tree -z`. */
export function entriesOf(listing: string): TreeEntry[] {
  return items(listing).map((line) => {
    const tab = line.indexOf('\t')
    const [mode = '', type = '', id = ''] = line.slice(0, tab).split(' ')
    return { mode, type, id, path: line.slice(tab + 1) }
  })
}
