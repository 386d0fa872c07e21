import { mkdir, mkdtemp, readdir, realpath } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve, sep } from 'node:path'
import { ReeveError } from '../core/errors.ts'
import { removeFolder } from './folders.ts'
import { git, gitIn, outputOf, tryGit } from './git.ts'
import type { Project } from './port.ts'
import { makePrivateGit } from './private-git.ts'
import { resolveCommit } from './revisions.ts'

/** Work that was kept before something was reset, retried or removed. */
export interface KeptAttempt {
  ref: string
  run: string
  number: number
  commit: string
  /** When it was kept, ISO 8601. */
  at: string
  subject: string
}

/** Kept attempts of a project, or of one run of it, in order. */
export async function listAttempts(project: Pick<Project, 'gitDir'>, runId?: string): Promise<KeptAttempt[]> {
  const format = '--format=%(refname)%09%(objectname)%09%(committerdate:iso-strict)%09%(contents:subject)'
  const listing = await gitIn(project, [
    'for-each-ref',
    format,
    runId === undefined ? 'refs/reeve/attempts/' : `refs/reeve/attempts/${runId}/`,
  ])
  return listing
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [ref = '', commit = '', at = '', ...subject] = line.split('\t')
      const [run = '', number] = ref.split('/').slice(-2)
      return { ref, run, number: Number(number), commit, at, subject: subject.join('\t') }
    })
    .toSorted((a, b) => (a.run === b.run ? a.number - b.number : a.run < b.run ? -1 : 1))
}

/**
 * Brings a kept attempt back as a new branch or into an empty folder outside the checkout. Throws `unknown_revision`, `branch_taken`,
 * `path_refused`. Returns the commit.
 */
export async function restoreAttempt(project: Project, ref: string, into: { branch: string } | { folder: string }): Promise<string> {
  const commit = await resolveCommit(project, ref)
  if ('branch' in into) await asBranch(project, commit, into.branch)
  else await asFiles(project, commit, resolve(into.folder))
  return commit
}

async function asBranch(project: Project, commit: string, branch: string): Promise<void> {
  const name = await tryGit({ gitDir: project.gitDir }, ['check-ref-format', '--branch', branch])
  if (name.exitCode !== 0 || branch.startsWith('-')) throw new ReeveError('invalid_input', { problem: `"${branch}" is not a branch name.` })
  const args = ['update-ref', `refs/heads/${branch}`, commit, '0'.repeat(commit.length)]
  const result = await tryGit({ gitDir: project.gitDir }, args)
  if (/already exists/.test(result.stderr)) throw new ReeveError('branch_taken', { branch, run: '<run>' })
  outputOf(result, args)
}

async function asFiles(project: Project, commit: string, folder: string): Promise<void> {
  const refuse = (problem: string) => new ReeveError('path_refused', { path: folder, problem })
  await mkdir(dirname(folder), { recursive: true })
  const real = join(await realpath(dirname(folder)), folder.slice(dirname(folder).length + 1))
  if (`${real}${sep}`.startsWith(`${project.root}${sep}`)) throw refuse('it is inside the checkout; choose a folder outside')
  await mkdir(folder, { recursive: true })
  if ((await readdir(folder)).length > 0) throw refuse('it is not empty')
  await withPrivateGit(project, async (gitDir) => {
    const place = { gitDir, workTree: folder, index: join(gitDir, 'index') }
    await git(place, ['read-tree', commit])
    await git(place, ['checkout-index', '--all', '--force', '-q'])
  })
}

/** A private git dir for one piece of work on the user's objects: none of their hooks, filters or merge drivers. New objects go to theirs. */
export async function withPrivateGit<T>(project: Project, work: (gitDir: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'reeve-git-'))
  try {
    const dir = join(folder, 'git')
    await makePrivateGit({ dir, project })
    return await work(dir)
  } finally {
    await removeFolder(folder)
  }
}
