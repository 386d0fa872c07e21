import { realpath, stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { ReeveError } from '../core/errors.ts'
import { discover, outputOf, readUserConfig, tryGit } from './git.ts'
import type { Project } from './port.ts'

/**
 * The repository a folder is in, also from a subfolder or a linked worktree. Throws `not_a_repository`, `bare_repository`, `no_commits`.
 */
export async function openProject(dir: string): Promise<Project> {
  const folder = await realpath(resolve(dir)).catch(() => null)
  if (folder === null || !(await stat(folder)).isDirectory()) throw new ReeveError('not_a_repository', { path: dir })
  const [root, gitDir, ownGitDir, objectFormat] = await locate(folder)
  const head = await tryGit({ gitDir: ownGitDir }, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'])
  if (head.exitCode !== 0) throw new ReeveError('no_commits', { path: root })
  const branch = await tryGit({ gitDir: ownGitDir }, ['symbolic-ref', '--quiet', '--short', 'HEAD'])
  return {
    root,
    gitDir,
    name: basename(root),
    head: head.stdout.trim(),
    branch: branch.exitCode === 0 ? branch.stdout.trim() : null,
    objectFormat,
  }
}

/** The git dir of the checkout itself: the common one, or the part of it that belongs to a linked worktree. */
export async function ownGitDirOf(project: Pick<Project, 'root'>): Promise<string> {
  return (await locate(project.root))[2]
}

type Located = [root: string, gitDir: string, ownGitDir: string, objectFormat: 'sha1' | 'sha256']
const QUESTION = [
  'rev-parse',
  '--path-format=absolute',
  '--show-toplevel',
  '--git-common-dir',
  '--absolute-git-dir',
  '--show-object-format',
]

async function locate(folder: string): Promise<Located> {
  let result = await discover(folder, QUESTION)
  if (result.stderr.includes('dubious ownership') && (await isTrusted(folder))) result = await discover(folder, QUESTION, '*')
  if (result.ended === 'not_found') throw new ReeveError('git_missing')
  if (/safe\.bareRepository|must be run in a work tree/.test(result.stderr)) throw new ReeveError('bare_repository', { path: folder })
  if (/not a git repository/i.test(result.stderr)) throw new ReeveError('not_a_repository', { path: folder })
  const [root = '', common = '', own = '', format] = outputOf(result, QUESTION).split('\n')
  return [await realpath(root), await realpath(common), await realpath(own), format === 'sha256' ? 'sha256' : 'sha1']
}

/** The user has said that this repository of somebody else's may be used; reeve reads no global configuration, so it asks for this one. */
async function isTrusted(folder: string): Promise<boolean> {
  const pairs = await readUserConfig(null, '^safe\\.directory$')
  return pairs.some(([, it]) => it === '*' || folder === it || folder.startsWith(`${it.replace(/\/\*?$/, '')}/`))
}
