import { createHash } from 'node:crypto'
import { lstat, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ReeveError } from '../core/errors.ts'
import { isFolder } from './folders.ts'
import { type GitPlace, git, items, outputOf, tryGit } from './git.ts'
import { takeBytesAsTheyAre } from './private-git.ts'

export interface Snapshot {
  tree: string
  /** What could not be taken as it is, a sentence each. */
  problems: string[]
}

export interface SnapshotOptions {
  /** Private git dir, work tree and index. */
  place: GitPlace & { workTree: string; index: string }
  /** Submodules of the base: kept as they are, never looked into. */
  submodules: readonly { path: string; id: string }[]
  excludesFile: string
  /** Paths that are left out. */
  leave?: readonly string[]
}

/**
 * Adds everything that git would not ignore to the index and writes it as a tree. A nested repository is taken as ordinary files: git never
 * opens it, and it cannot enter as a link to a commit that nobody has.
 */
export async function takeSnapshot(options: SnapshotOptions): Promise<Snapshot> {
  const { place, submodules, excludesFile } = options
  const problems: string[] = []
  // Through a link in its place, files of somebody else would be read, and in the end committed.
  if (!(await isFolder(place.workTree))) throw new ReeveError('environment', { problem: `"${place.workTree}" is not a folder any more.` })
  const nested = (await nestedRepositories(options)).filter((it) => !submodules.some((one) => one.path === it))
  const left = [...nested, ...submodules.map((it) => it.path), ...(options.leave ?? [])]
  problems.push(...(await addAll(options, left)))
  for (const path of nested) {
    problems.push(`"${path}" is a git repository of its own; its files are taken as ordinary files, its history is kept only in attempts.`)
    await graft(options, path, await treeBelow(options, path, problems))
  }
  await putBackLinks(options, problems)
  const tree = (await git(place, ['write-tree'], { excludesFile })).trim()
  return { tree, problems }
}

/** Untracked repositories inside the work tree; git lists them with a slash and does not go in. */
async function nestedRepositories({ place, excludesFile }: SnapshotOptions): Promise<string[]> {
  const listing = await git(place, ['ls-files', '-z', '--others', '--exclude-standard'], { excludesFile })
  return items(listing).flatMap((it) => (it.endsWith('/') ? [it.slice(0, -1)] : []))
}

async function addAll({ place, excludesFile }: SnapshotOptions, left: readonly string[]): Promise<string[]> {
  const input = ['.', ...left.map((it) => `:(exclude,top,literal)${it}`)].join('\0')
  const args = ['add', '--all', '--pathspec-from-file=-', '--pathspec-file-nul']
  const result = await tryGit(place, args, { input, excludesFile })
  if (result.exitCode === 0) return []
  // One file that cannot be read or converted must not keep the others out.
  const patient = [...args, '--ignore-errors']
  let again = await tryGit(place, patient, { input, excludesFile })
  if (again.exitCode !== 0 && again.exitCode !== 1) {
    await takeBytesAsTheyAre(place.gitDir)
    again = await tryGit(place, patient, { input, excludesFile })
  }
  if (again.exitCode !== 0 && again.exitCode !== 1) outputOf(again, args)
  return again.stderr.split('\n').flatMap((line) => (line.startsWith('error: ') ? [`Not taken: ${line.slice('error: '.length)}.`] : []))
}

/** The files of a nested repository as a tree, by an index of its own; repositories inside it likewise. */
export async function treeBelow(options: SnapshotOptions, path: string, problems: string[]): Promise<string> {
  const workTree = join(options.place.workTree, path)
  const name = createHash('sha256').update(workTree).digest('hex').slice(0, 16)
  const index = `${options.place.index}-${name}`
  const inner = await takeSnapshot({ ...options, place: { ...options.place, workTree, index }, submodules: [], leave: [] })
  problems.push(...inner.problems.map((it) => `In "${path}": ${it}`))
  await rm(index, { force: true })
  return inner.tree
}

/** Puts a tree below a folder of the index, in place of whatever is there. */
export async function graft({ place, excludesFile }: SnapshotOptions, path: string, tree: string): Promise<void> {
  await git(place, ['rm', '-r', '-q', '-f', '--cached', '--ignore-unmatch', '--', `:(top,literal)${path}`], { excludesFile })
  await git(place, ['read-tree', `--prefix=${path}/`, tree], { excludesFile })
}

/** No link to a commit may be new or changed. One of the base is put back, unless its folder was removed; any other is taken out. */
async function putBackLinks({ place, submodules }: SnapshotOptions, problems: string[]): Promise<void> {
  const staged = items(await git(place, ['ls-files', '-z', '--stage']))
  const links = new Map(
    staged.flatMap((line) => (line.startsWith('160000 ') ? [[line.slice(line.indexOf('\t') + 1), line.split(' ')[1] ?? '']] : [])),
  )
  for (const { path, id } of submodules) {
    if (links.get(path) === id) continue
    if ((await lstat(join(place.workTree, path)).catch(() => null)) === null) continue
    await git(place, ['update-index', '--add', '--cacheinfo', `160000,${id},${path}`])
  }
  for (const path of links.keys()) {
    if (submodules.some((it) => it.path === path)) continue
    problems.push(`"${path}" was a link to another repository and is not taken.`)
    await git(place, ['update-index', '--force-remove', '--', path])
  }
}
