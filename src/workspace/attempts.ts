import { lstat, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type GitPlace, git, gitIn, type Person } from './git.ts'
import { handOver } from './handover.ts'
import { NEVER_KEPT } from './ignored.ts'
import { copyIndex } from './index-file.ts'
import { exists, findNestedGit } from './nested.ts'
import type { Project } from './port.ts'
import { makePrivateGit } from './private-git.ts'
import type { RunFolders, WorkspaceRecord } from './record.ts'
import { graft, type Snapshot, takeSnapshot, treeBelow } from './snapshot.ts'
import { attemptsPrefix } from './worktree.ts'

export interface Attempt {
  ref: string
  commit: string
  number: number
}

interface Keeper {
  project: Project
  folders: RunFolders
  record: WorkspaceRecord
}

/**
 * Everything in the tree that git would not ignore, byte for byte: no conversion of line ends, nested repositories with their history (as
 * `dot-git`, since git takes no `.git`) and submodules' files included.
 */
export async function takeEverything({ project, folders, record }: Keeper): Promise<Snapshot> {
  if (!(await exists(folders.raw)))
    await makePrivateGit({ dir: folders.raw, project, raw: true, exclude: await neverKept(project, folders) })
  const index = join(folders.root, 'index-attempt')
  // Beginning with the other index spares reading files that are as they were checked out.
  await copyIndex(join(folders.git, 'index'), index)
  await rm(`${index}.lock`, { force: true })
  const place = {
    gitDir: folders.raw,
    workTree: folders.tree,
    index,
    objects: join(folders.git, 'objects'),
    run: record.runId,
  } satisfies GitPlace
  const nested = await findNestedGit(place, record.excludesFile)
  const leave = nested.filter((it) => it.name !== '.git').map((it) => it.path)
  const options = { place, submodules: record.submodules, excludesFile: record.excludesFile, leave }
  const plain = await takeSnapshot(options)
  const problems = [...plain.problems]
  const filled = record.submodules.filter((it) => nested.some((one) => one.holder === it.path))
  for (const { path } of filled) await graft(options, path, await treeBelow(options, path, problems))
  for (const { path, holder, name, folder } of nested) {
    const kept = `${holder === '' ? '' : `${holder}/`}dot-${name.slice(1)}`
    if (folder) await graft(options, kept, await treeBelow(options, path, problems))
    else await keepFile(place, path, kept)
  }
  const tree = nested.length === 0 ? plain.tree : (await git(place, ['write-tree'])).trim()
  await rm(index, { force: true })
  return { tree, problems }
}

/** A file that git would not add under its name, under another one. A link is kept as the file it leads to is not ours to read: not at all. */
async function keepFile(place: GitPlace & { workTree: string }, path: string, kept: string): Promise<void> {
  const file = join(place.workTree, path)
  if (!(await lstat(file).catch(() => null))?.isFile()) return
  const id = (await git(place, ['hash-object', '-w', '--no-filters', '--', file])).trim()
  await git(place, ['update-index', '--add', '--cacheinfo', `100644,${id},${kept}`])
}

async function neverKept(project: Project, folders: RunFolders): Promise<string> {
  const files = [join(project.gitDir, 'info/exclude'), folders.installed]
  const texts = await Promise.all(files.map((it) => readFile(it, 'utf8').catch(() => '')))
  return [...texts, ...NEVER_KEPT, ''].join('\n')
}

/** Attempts of a run in the user's repository, in order. */
export async function attemptsOf(project: Pick<Project, 'gitDir'>, runId: string): Promise<(Attempt & { tree: string; parent: string })[]> {
  const format = '--format=%(refname) %(objectname) %(tree) %(parent)'
  const listing = await gitIn(project, ['for-each-ref', format, attemptsPrefix(runId)])
  return listing
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [ref = '', commit = '', tree = '', parent = ''] = line.split(' ')
      return { ref, commit, tree, parent, number: Number(ref.slice(ref.lastIndexOf('/') + 1)) }
    })
    .toSorted((a, b) => a.number - b.number)
}

/** Keeps a tree as the run's next attempt. The same tree on the same commit is kept once, so that a repeated call after a crash adds nothing. */
export async function keepTree(keeper: Keeper, options: { tree: string; parent: string; author: Person }): Promise<Attempt> {
  const { project, folders, record } = keeper
  const kept = await attemptsOf(project, record.runId)
  const same = kept.findLast((it) => it.tree === options.tree && it.parent === options.parent)
  if (same) return { ref: same.ref, commit: same.commit, number: same.number }
  const number = (kept.at(-1)?.number ?? 0) + 1
  const message = `chore: keep attempt ${number} of ${record.taskId}\n\nReeve-Run: ${record.runId}\n`
  const place = { gitDir: folders.git, run: record.runId }
  const args = ['commit-tree', options.tree, '-p', options.parent, '-F', '-']
  const commit = (await git(place, args, { input: message, author: options.author })).trim()
  const own = `refs/attempts/${number}`
  await git(place, ['update-ref', own, commit])
  const ref = `${attemptsPrefix(record.runId)}${number}`
  await handOver(project, folders.git, own, ref)
  return { ref, commit, number }
}

/** Keeps a commit that is in the user's repository already, such as one that an agent has made itself, as the run's next attempt. */
export async function keepCommit(project: Pick<Project, 'gitDir'>, runId: string, commit: string): Promise<Attempt> {
  const kept = await attemptsOf(project, runId)
  const same = kept.find((it) => it.commit === commit)
  if (same) return { ref: same.ref, commit, number: same.number }
  const number = (kept.at(-1)?.number ?? 0) + 1
  const ref = `${attemptsPrefix(runId)}${number}`
  await gitIn(project, ['update-ref', ref, commit, '0'.repeat(commit.length)])
  return { ref, commit, number }
}
