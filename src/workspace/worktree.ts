import { lstat, mkdir, readdir, readFile, realpath, rename, rmdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ReeveError } from '../core/errors.ts'
import { removeFolder } from './folders.ts'
import { gitIn, outputOf, tryGit } from './git.ts'
import type { Project } from './port.ts'

/** Branch name of a task: `auto/{role}/{task}`. Throws `invalid_input` when role or task could not be part of a branch name. */
export function branchOf(role: string, taskId: string): string {
  for (const part of [role, taskId]) {
    const safe = /^[\p{L}\p{N}_][\p{L}\p{N}._-]*$/u.test(part) && !part.includes('..') && !/\.(?:lock)?$/.test(part)
    if (!safe)
      throw new ReeveError('invalid_input', { problem: `"${part}" cannot be part of a branch name: use letters, digits, ".", "_", "-".` })
  }
  return `auto/${role}/${taskId}`
}

export const baseRef = (runId: string) => `refs/reeve/base/${runId}`
export const runRef = (runId: string) => `refs/reeve/runs/${runId}`
export const attemptsPrefix = (runId: string) => `refs/reeve/attempts/${runId}/`

/** The commit a ref of the user's repository points at, null when there is no such ref. */
export async function readRef(project: Pick<Project, 'gitDir'>, ref: string): Promise<string | null> {
  const result = await tryGit({ gitDir: project.gitDir }, ['rev-parse', '--verify', '--quiet', ref])
  return result.exitCode === 0 ? result.stdout.trim() : null
}

/**
 * Makes the run's branch and pins its base in one transaction, so that after a crash the pin says whose the branch is. A name that is taken
 * is left alone and the next number tried. `intend` is told each name before it is tried.
 */
export async function reserveBranch(
  project: Pick<Project, 'gitDir'>,
  options: { wanted: string; runId: string; base: string; intend: (branch: string) => Promise<void> },
): Promise<string> {
  const { wanted, runId, base, intend } = options
  const listed = await gitIn(project, ['for-each-ref', '--format=%(refname:lstrip=2)', `refs/heads/${dirname(wanted)}/`])
  const taken = new Set(listed.split('\n'))
  for (let number = 1; ; number++) {
    const branch = number === 1 ? wanted : `${wanted}-${number}`
    if (taken.has(branch)) continue
    await intend(branch)
    const input = `create refs/heads/${branch} ${base}\ncreate ${baseRef(runId)} ${base}\n`
    const args = ['update-ref', '--stdin']
    const result = await tryGit({ gitDir: project.gitDir }, args, { input })
    if (result.exitCode === 0) return branch
    const blocking = /'refs\/heads\/([^']+)' exists; cannot create/.exec(result.stderr)?.[1]
    if (blocking !== undefined) throw new ReeveError('branch_taken', { branch: blocking, run: runId })
    if (!result.stderr.includes('reference already exists')) outputOf(result, args)
    taken.add(branch)
  }
}

/** Registers a locked, empty worktree on a branch. Returns its folder in the user's git dir. */
export async function addWorktree(
  project: Pick<Project, 'gitDir'>,
  options: { tree: string; branch: string; runId: string },
): Promise<string> {
  const { tree, branch, runId } = options
  await removeWorktree(project, tree)
  await gitIn(project, ['worktree', 'add', '-q', '--no-checkout', '--lock', '--reason', `reeve run ${runId}`, '--', tree, branch])
  const admin = await findAdmin(project, tree)
  if (admin === null) throw new ReeveError('git_failed', { command: 'worktree add', problem: `no worktree was registered for "${tree}"` })
  return admin
}

/** Removes a worktree's files and registration; other worktrees, also stale ones of the user, are not touched. */
export async function removeWorktree(project: Pick<Project, 'gitDir'>, tree: string): Promise<void> {
  const admin = await findAdmin(project, tree)
  await removeFolder(tree)
  if (admin === null) return
  // In one move where that is possible: another git that lists worktrees must not meet half of one.
  const aside = `${tree}-removed`
  await rename(admin, aside).catch(() => {})
  await removeFolder(aside)
  await removeFolder(admin)
  await rmdir(dirname(admin)).catch(() => {}) // git removes the empty folder too
}

/** The folder in the user's git dir that stands for a worktree; found by content, since the tree's own `.git` file may have been changed. */
export async function findAdmin(project: Pick<Project, 'gitDir'>, tree: string): Promise<string | null> {
  const all = join(project.gitDir, 'worktrees')
  const names = await readdir(all).catch(() => [])
  const real = join(await realpath(dirname(tree)).catch(() => dirname(tree)), 'tree')
  for (const name of names) {
    const text = await readFile(join(all, name, 'gitdir'), 'utf8').catch(() => '')
    if (text.trim() === join(tree, '.git') || text.trim() === join(real, '.git')) return join(all, name)
  }
  return null
}

/**
 * Sees to it that the tree belongs to its worktree and the worktree to the run's branch, whatever a program has made of `.git` or HEAD.
 * A `.git` folder in the place of the file must have been kept before.
 */
export async function repairWorktree(options: { tree: string; admin: string; branch: string; runId: string }): Promise<void> {
  const { tree, admin, branch, runId } = options
  const link = join(tree, '.git')
  const wanted = `gitdir: ${admin}\n`
  const stats = await lstat(link).catch(() => null)
  if (!stats?.isFile() || (await readFile(link, 'utf8')) !== wanted) {
    await removeFolder(link)
    await writeFile(link, wanted)
  }
  const files = { gitdir: `${link}\n`, commondir: '../..\n', HEAD: `ref: refs/heads/${branch}\n`, locked: `reeve run ${runId}` }
  await mkdir(admin, { recursive: true })
  for (const [name, text] of Object.entries(files)) {
    const now = await readFile(join(admin, name), 'utf8').catch(() => '')
    if (now.trim() !== text.trim()) await writeFile(join(admin, name), text)
  }
}
