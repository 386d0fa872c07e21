import { realpath, stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { ReeveError } from '../core/errors.ts'
import { discover, outputOf, readUserConfig } from './git.ts'
import type { Project } from './port.ts'

/**
 * The repository a folder is in, also from a subfolder or a linked worktree. Throws `not_a_repository`, `bare_repository`, `no_commits`.
 */
export async function openProject(dir: string): Promise<Project> {
  const folder = await realpath(resolve(dir)).catch(() => null)
  if (folder === null || !(await stat(folder)).isDirectory()) throw new ReeveError('not_a_repository', { path: dir })
  const [root, gitDir, , objectFormat, head = '', ref = ''] = await locate(folder, HEAD).catch(async (error: unknown) => {
    // Where the place alone is known, it is the commit that is missing.
    const [root] = await locate(folder)
    throw error instanceof ReeveError && error.code === 'git_failed' ? new ReeveError('no_commits', { path: root }) : error
  })
  const branch = /^refs\/heads\/(.+)$/.exec(ref)?.[1] ?? null
  return { root, gitDir, name: basename(root), head, branch, objectFormat }
}

/** The git dir of the checkout itself: the common one, or the part of it that belongs to a linked worktree. */
export async function ownGitDirOf(project: Pick<Project, 'root'>): Promise<string> {
  return (await locate(project.root))[2]
}

type Located = [root: string, gitDir: string, ownGitDir: string, objectFormat: 'sha1' | 'sha256', ...more: string[]]
/** The commit that is checked out, and the branch: `HEAD` where there is none. Asked with the place, since each start of git costs milliseconds. */
const HEAD = ['HEAD^{commit}', '--symbolic-full-name', 'HEAD']
const QUESTION = [
  'rev-parse',
  '--path-format=absolute',
  '--show-toplevel',
  '--git-common-dir',
  '--absolute-git-dir',
  '--show-object-format',
]

async function locate(folder: string, more: readonly string[] = []): Promise<Located> {
  const question = [...QUESTION, ...more]
  let result = await discover(folder, question)
  if (result.stderr.includes('dubious ownership') && (await isTrusted(folder))) result = await discover(folder, question, '*')
  if (result.ended === 'not_found') throw new ReeveError('git_missing')
  if (/safe\.bareRepository|must be run in a work tree/.test(result.stderr)) throw new ReeveError('bare_repository', { path: folder })
  if (/not a git repository/i.test(result.stderr)) throw new ReeveError('not_a_repository', { path: folder })
  const [root = '', common = '', own = '', format, ...rest] = outputOf(result, question).trimEnd().split('\n')
  return [await realpath(root), await realpath(common), await realpath(own), format === 'sha256' ? 'sha256' : 'sha1', ...rest]
}

/** The user has said that this repository of somebody else's may be used; reeve reads no global configuration, so it asks for this one. */
async function isTrusted(folder: string): Promise<boolean> {
  const pairs = await readUserConfig(null, '^safe\\.directory$')
  return pairs.some(([, it]) => it === '*' || folder === it || folder.startsWith(`${it.replace(/\/\*?$/, '')}/`))
}
