import { copyFile, lstat, open, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ReeveError } from '../core/errors.ts'
import { changesBetween } from './diff.ts'
import { type GitPlace, git, items, readUserConfig, tryGit } from './git.ts'
import { copyIndex, replaceIndex } from './index-file.ts'
import { exists } from './nested.ts'
import { ownGitDirOf } from './project.ts'
import { entriesOf, type TreeEntry } from './revisions.ts'

export interface CheckoutMove {
  /** A private git dir that sees the user's objects. */
  place: GitPlace
  run: string
  /** Root of the user's checkout that has the branch. */
  checkout: string
  from: string
  to: string
  /** Moves the branch itself. Called last. */
  move: () => Promise<unknown>
}

/**
 * Takes a checkout from one commit to another: only files that differ between the two, in the folder and in the index; everything else the
 * user has there stays. Throws `dirty_checkout` before anything is changed when one of these files has changes of the user's. Files that
 * already are as in the new commit are fine: an earlier call may have died half way.
 */
export async function checkOutChanges(options: CheckoutMove): Promise<void> {
  const { place, checkout, from, to, move } = options
  const own = await ownGitDirOf({ root: checkout })
  await refuseUnfinished(own, options.run)
  const unlock = await lockIndex(own, options.run)
  const index = join(place.gitDir, 'index-checkout')
  const seen = { ...place, workTree: checkout, index }
  try {
    await adoptFileSettings(place, own)
    await copyParts(own, place.gitDir)
    await copyIndex(join(own, 'index'), index)
    // A file that was only touched has another time and the same content. Exit code 1 says that some have other content.
    await tryGit(seen, ['update-index', '-q', '--refresh'])
    await adoptFinished(seen, options)
    await git(seen, ['read-tree', '-m', '-u', from, to])
    await replaceIndex(index, join(own, 'index'))
    await move().catch(async (error: unknown) => {
      // Somebody moved the branch meanwhile: the files go back to where it was.
      await git(seen, ['read-tree', '-m', '-u', to, from])
      await replaceIndex(index, join(own, 'index'))
      throw error
    })
  } finally {
    await unlock()
  }
}

/** How files lie in a checkout, which decides whether they count as changed. None of these executes anything. */
const FILE_SETTINGS = /^core\.(?:autocrlf|eol|filemode|symlinks|ignorecase|precomposeunicode) (?:true|false|input|lf|crlf|native)$/

async function adoptFileSettings(place: GitPlace, own: string): Promise<void> {
  for (const [key, value] of await readUserConfig(own, '^core\\.')) {
    const plain = value === '' ? 'true' : value.toLowerCase()
    if (FILE_SETTINGS.test(`${key} ${plain}`)) await git({ gitDir: place.gitDir }, ['config', key, plain])
  }
}

/** An index may be split in two (`core.splitIndex`): the larger part lies beside it under the name of its content. */
async function copyParts(from: string, to: string): Promise<void> {
  const parts = (await readdir(from)).filter((it) => /^sharedindex\.[0-9a-f]+$/.test(it))
  for (const name of parts) await copyFile(join(from, name), join(to, name))
}

async function refuseUnfinished(own: string, run: string): Promise<void> {
  for (const name of ['MERGE_HEAD', 'CHERRY_PICK_HEAD', 'REVERT_HEAD', 'rebase-merge', 'rebase-apply']) {
    if (await exists(join(own, name)))
      throw new ReeveError('dirty_checkout', { files: `(a merge or rebase is not finished: ${name})`, run })
  }
}

/**
 * Compares the files that will change with both commits. The user's changes are refused by name; what already is as in the new commit is
 * entered into the index, so that it is not taken for a change.
 */
async function adoptFinished(seen: GitPlace & { workTree: string }, { from, to, run }: CheckoutMove): Promise<void> {
  const changes = await changesBetween(seen, from, to)
  const [old, next] = [await entriesAt(seen, from), await entriesAt(seen, to)]
  const index = new Map((await stagedEntries(seen)).map((it) => [it.path, it]))
  const unstaged = new Set(items(await git(seen, ['diff-files', '--name-only', '-z'])))
  const dirty: string[] = []
  for (const { path } of changes) {
    const [was, will, staged] = [old.get(path), next.get(path), index.get(path)]
    const present = await exists(join(seen.workTree, path))
    const clean = same(staged, was) && !unstaged.has(path) && (staged !== undefined || !present)
    if (clean) continue
    if (!same(staged, was) && !same(staged, will)) dirty.push(path)
    else if (await fileIs(seen, path, will)) await enter(seen, path, will)
    else if (same(staged, will) && !unstaged.has(path)) continue
    else dirty.push(path)
  }
  if (dirty.length > 0) throw new ReeveError('dirty_checkout', { files: dirty.join(', '), run })
}

async function entriesAt(place: GitPlace, commit: string): Promise<Map<string, TreeEntry>> {
  return new Map(entriesOf(await git(place, ['ls-tree', '-r', '-z', '--full-tree', commit])).map((it) => [it.path, it]))
}

async function stagedEntries(place: GitPlace): Promise<TreeEntry[]> {
  return items(await git(place, ['ls-files', '-z', '--stage'])).map((line) => {
    const tab = line.indexOf('\t')
    const [mode = '', id = '', stage] = line.slice(0, tab).split(' ')
    return { mode, type: stage === '0' ? 'blob' : 'unmerged', id, path: line.slice(tab + 1) }
  })
}

function same(a: TreeEntry | undefined, b: TreeEntry | undefined): boolean {
  return a?.id === b?.id && a?.mode === b?.mode
}

/** Has the file in the checkout exactly the content that it will have? */
async function fileIs(seen: GitPlace & { workTree: string }, path: string, will: TreeEntry | undefined): Promise<boolean> {
  const stats = await lstat(join(seen.workTree, path)).catch(() => null)
  if (will === undefined || stats === null) return will === undefined && stats === null
  if (!stats.isFile() || !will.mode.startsWith('100')) return false
  const id = (await git(seen, ['hash-object', '--', join(seen.workTree, path)])).trim()
  return id === will.id && ((stats.mode & 0o100) !== 0) === (will.mode === '100755')
}

async function enter(seen: GitPlace, path: string, will: TreeEntry | undefined): Promise<void> {
  if (will === undefined) await git(seen, ['update-index', '--force-remove', '--', path])
  else await git(seen, ['update-index', '--add', '--cacheinfo', `${will.mode},${will.id},${path}`])
}

/** Keeps the user's own git away while files and index do not fit together. A lock that an earlier landing of this run left is taken over. */
async function lockIndex(own: string, run: string): Promise<() => Promise<void>> {
  const lock = join(own, 'index.lock')
  const mark = `reeve lands ${run}\n`
  if ((await readFile(lock, 'latin1').catch(() => '')) === mark) await rm(lock, { force: true })
  const file = await open(lock, 'wx').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
    throw new ReeveError('git_failed', { command: 'index', problem: `another git works in the checkout (${lock} exists)` })
  })
  await file.writeFile(mark)
  await file.close()
  return () => rm(lock, { force: true })
}
