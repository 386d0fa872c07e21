import { constants } from 'node:fs'
import { appendFile, copyFile, lstat, mkdir, readlink, stat, symlink, writeFile } from 'node:fs/promises'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { ReeveError } from '../core/errors.ts'
import { runProgram } from '../process/run-program.ts'
import { copyTree, relocatePython } from './copy-tree.ts'
import { dependencyKey, isDependency, putIntoCache, takeFromCache } from './dependency-cache.ts'
import { isBehindLink } from './folders.ts'
import { git, items, type TreePlace } from './git.ts'
import type { Holder } from './held.ts'
import { exists } from './nested.ts'
import { onlyOne } from './owner.ts'
import type { Project } from './port.ts'
import type { RunFolders, WorkspaceRecord } from './record.ts'
import { entriesOf } from './revisions.ts'

/** Lines of a failed command's output that are shown from each end. */
const SHOWN = 8

export interface SetupOptions {
  project: Pick<Project, 'root'>
  folders: RunFolders
  record: WorkspaceRecord
  /** How setup commands are started. */
  holder: Pick<Holder, 'install'>
  /** Installs of earlier workspaces. */
  cacheDir: string
  /** Where what is installed here is kept, when it may not go into `cacheDir`: it is what a change wants. */
  ownCacheDir?: string | undefined
  signal: AbortSignal
  timeoutMs: number
  onOutput?: ((text: string) => void) | undefined
}

const placeOf = ({ folders, record }: Pick<SetupOptions, 'folders' | 'record'>): TreePlace => ({
  gitDir: folders.git,
  workTree: folders.tree,
  index: join(folders.git, 'index'),
  run: record.runId,
})

type Prepared = Required<Pick<WorkspaceRecord, 'included' | 'generates'>>

/**
 * Puts into a fresh tree what git does not hold: the files that `.worktreeinclude` names and what the setup commands install, from the cache
 * where the same was installed before. Afterwards the tracked files are as in the base, whatever the setup did to them. Throws `environment`
 * when a command fails. Returns what the record of the tree says of it.
 */
export async function prepareDependencies(options: SetupOptions): Promise<Prepared> {
  const included = await copyIncluded(options)
  const generates = options.record.setup.length > 0 && (await install(options))
  return { included, generates }
}

/** Did the setup make anything that is no dependency? */
async function install(options: SetupOptions): Promise<boolean> {
  const { folders, record, cacheDir } = options
  const place = placeOf(options)
  const before = new Set(await besideTracked(place))
  const { env } = await options.holder.install(folders.tree, gitOf(folders))
  // Without their scripts packages are installed differently.
  const setup = [...record.setup, `scripts:${env['npm_config_ignore_scripts'] !== 'true'}`]
  const key = dependencyKey(entriesOf(await git(place, ['ls-tree', '-r', '-z', '--full-tree', record.base])), setup)
  const into = options.ownCacheDir ?? cacheDir
  const take = async () => (await takeFromCache(cacheDir, key, folders.tree)) ?? (await takeFromCache(into, key, folders.tree))
  const newOnes = async () => (await besideTracked(place)).filter((it) => !before.has(it))
  await mkdir(into, { recursive: true, mode: 0o700 })
  let cached = await take()
  if (cached === null) {
    // Of many runs that begin at once, one installs and the others copy.
    await onlyOne(join(into, `.${key}.lock`), options.signal, async () => {
      cached = await take()
      if (cached !== null) return
      await runSetup(options)
      const all = await newOnes()
      const paths = all.filter(isDependency).map((it) => it.replace(/\/$/, ''))
      await putIntoCache(into, key, folders.tree, { paths, complete: paths.length === all.length })
    })
  }
  if (cached !== null && !cached.complete) await runSetup(options)
  const made = await newOnes()
  const installed = made.filter(isDependency).map(excludeLine)
  await writeFile(folders.installed, installed.join(''))
  await setAside(place, folders)
  return installed.length < made.length
}

/** Top-most files and folders that are not tracked, ignored or not; folders end with a slash. */
async function besideTracked(place: TreePlace): Promise<string[]> {
  const ignored = await git(place, ['ls-files', '-z', '--others', '--ignored', '--exclude-standard', '--directory'])
  return [...items(ignored), ...(await unignored(place))]
}

async function unignored(place: TreePlace): Promise<string[]> {
  return items(await git(place, ['ls-files', '-z', '--others', '--exclude-standard', '--directory']))
}

/** What the setup made is not the run's work: tracked files go back to the base, new ones are excluded from every tree. */
async function setAside(place: TreePlace, folders: RunFolders): Promise<void> {
  const made = await unignored(place)
  await appendFile(join(folders.git, 'info/exclude'), made.map(excludeLine).join(''))
  await git(place, ['checkout-index', '--all', '--force', '-u', '-q'])
}

function excludeLine(path: string): string {
  return `/${path.replaceAll(/[\\*?[\]!# ]/g, '\\$&')}\n`
}

/** The worktree's `.git` leads to the user's repository: it is shown to lead to the private one. Other trees have a git dir of their own. */
function gitOf({ root, tree, git }: RunFolders): { git?: string } {
  return tree === join(root, 'tree') ? { git } : {}
}

async function runSetup({
  folders,
  record,
  holder,
  signal,
  timeoutMs,
  onOutput,
}: Omit<SetupOptions, 'project' | 'cacheDir'>): Promise<void> {
  const { refused, ...held } = await holder.install(folders.tree, gitOf(folders))
  for (const command of record.setup) {
    const result = await runProgram({
      argv: ['/bin/sh', '-c', command],
      cwd: folders.tree,
      ...held,
      timeoutMs,
      signal,
      run: record.runId,
      onOutput: ({ text }) => onOutput?.(text),
    })
    signal.throwIfAborted()
    if (result.exitCode === 0) continue
    const how = result.ended === 'exited' ? `failed with exit code ${result.exitCode}` : `did not finish: ${result.problem}`
    const said = headAndTail(`${result.stdout}\n${result.stderr}`.split('\n').filter(Boolean))
    const words = [...said, ...new Set(refused)].join('\n')
    throw new ReeveError('environment', { problem: `The setup command "${command}" ${how}${words === '' ? '' : `\n${words}`}` })
  }
}

/** Copies the ignored files of the user's checkout that `.worktreeinclude` of the base names. */
async function copyIncluded(options: SetupOptions): Promise<string[]> {
  const included = await includedPaths(options)
  for (const path of included) await copyMissing(options.project.root, options.folders.tree, path)
  return included
}

async function copyMissing(fromRoot: string, toRoot: string, path: string): Promise<void> {
  if ((await isBehindLink(fromRoot, path)) || (await isBehindLink(toRoot, path))) return
  const [from, to] = [join(fromRoot, path), join(toRoot, path)]
  const found = await lstat(from).catch(() => null)
  if (!found || !(found.isFile() || found.isSymbolicLink()) || (await exists(to))) return
  await mkdir(dirname(to), { recursive: true })
  if (found.isFile()) await copyFile(from, to, constants.COPYFILE_FICLONE)
  else await symlink(await sameTarget(from, to, fromRoot, toRoot), to)
}

/** A link stays a link (npm's `.bin` is made of them): one within the project leads to the same place of the copy, one that leads out still leads there. */
async function sameTarget(from: string, to: string, fromRoot: string, toRoot: string): Promise<string> {
  const target = resolve(dirname(from), await readlink(from))
  const within = relative(fromRoot, target)
  return within === '..' || within.startsWith(`..${sep}`) ? target : relative(dirname(to), join(toRoot, within)) || '.'
}

async function includedPaths({ project, folders, record }: SetupOptions): Promise<string[]> {
  const patterns = join(folders.tree, '.worktreeinclude')
  if (!(await stat(patterns).catch(() => null))?.isFile()) return []
  // The user's files seen through the private git dir: its index is the base, its configuration is ours.
  const place = { ...placeOf({ folders, record }), workTree: project.root }
  const named = await git(place, ['ls-files', '-z', '--others', '--ignored', `--exclude-from=${patterns}`])
  const ignored = await git(place, ['ls-files', '-z', '--others', '--ignored', '--exclude-standard'], { excludesFile: record.excludesFile })
  const both = new Set(items(ignored))
  return items(named).filter((it) => both.has(it))
}

/** Gives another folder what the workspace has beside its tracked files: dependencies and included files. */
export async function shareDependencies({ folders, record }: Pick<SetupOptions, 'folders' | 'record'>, to: string): Promise<void> {
  const installed = (await besideTracked(placeOf({ folders, record }))).filter(isDependency).map((it) => it.replace(/\/$/, ''))
  for (const path of installed) {
    if ((await isBehindLink(to, path)) || (await exists(join(to, path)))) continue
    await copyTree(join(folders.tree, path), join(to, path))
    await relocatePython(join(to, path), folders.tree, to)
  }
  for (const path of record.included) await copyMissing(folders.tree, to, path)
}

/**
 * Fills a scratch checkout. What the setup makes beside dependencies comes from the sources, so it is made from those that lie there: a base
 * without it would fail, and every failure of the change would pass for an old one.
 */
export async function fillScratch(options: Omit<SetupOptions, 'project' | 'cacheDir'>, place: TreePlace): Promise<void> {
  const { folders, record } = options
  await shareDependencies(options, place.workTree)
  if (record.generates !== true) return
  await runSetup({ ...options, folders: { ...folders, tree: place.workTree } })
  await git(place, ['checkout-index', '--all', '--force', '-u', '-q'])
}

/** Installers say the cause first and how they are used last, compilers the other way round. */
function headAndTail(lines: string[]): string[] {
  return lines.length <= 2 * SHOWN ? lines : [...lines.slice(0, SHOWN), '...', ...lines.slice(-SHOWN)]
}
