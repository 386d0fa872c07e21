import { join } from 'node:path'
import { crashAt } from '../core/crash.ts'
import { ReeveError } from '../core/errors.ts'
import { type Attempt, keepCommit, keepTree, takeEverything } from './attempts.ts'
import { copyTree } from './copy-tree.ts'
import { fillScratch, prepareDependencies } from './dependencies.ts'
import { changesBetween, patchBetween } from './diff.ts'
import { isFolder, removeFolder } from './folders.ts'
import { type GitPlace, git, gitIn, resolveTree } from './git.ts'
import { handOver } from './handover.ts'
import { createHolder, type Holder, type Keeping } from './held.ts'
import { healAfterDeath, makeTree, showIndex, type WorkspacePlan } from './make-workspace.ts'
import { findNestedGit } from './nested.ts'
import { deleteFileIn } from './paths.ts'
import type { Checkpoint, FileChange, Project, Scratch, Workspace } from './port.ts'
import { foldersOf, type RunFolders, readRecord, type WorkspaceRecord, writeRecord } from './record.ts'
import { listFiles, showFile } from './revisions.ts'
import { makeScratch } from './scratch.ts'
import { type Snapshot, takeSnapshot } from './snapshot.ts'
import { addWorktree, readRef, repairWorktree, runRef } from './worktree.ts'

export interface CreateOptions extends WorkspacePlan {
  /** Folder of all runs and caches. */
  dataDir: string
  keeping: Keeping
  signal: AbortSignal
  /** For each setup command. */
  timeoutMs: number
  onOutput?: (text: string) => void
}

export interface OpenOptions {
  project: Project
  runId: string
  dataDir: string
  keeping: Keeping
  /** What the caller remembers of it; another branch than the one on record is an error. */
  branch?: string
}

const PATCH_BYTES = 512 * 1024
/** For each setup command in a scratch checkout; it has run in the workspace before. */
const SETUP_MS = 15 * 60_000

/**
 * The workspace of a run: its own branch and worktree, ready to be worked in. Idempotent: called again, it opens the one that is there, and
 * makes anew what a crash left half made. Throws `environment` when a setup command fails, `branch_taken`, `git_failed`.
 */
export async function createWorkspace(options: CreateOptions): Promise<Workspace> {
  const { project, runId, dataDir, keeping, signal, timeoutMs, onOutput } = options
  const folders = foldersOf(dataDir, runId)
  const known = await readRecord(folders)
  if (known?.state === 'ready') return await openWorkspace({ project, runId, dataDir, keeping })
  if (known?.state === 'reaping') throw new ReeveError('environment', { problem: `The workspace of run ${runId} is being removed.` })
  const { record } = await makeTree(options, dataDir)
  signal.throwIfAborted()
  const holder = await holderOf({ project, dataDir, keeping }, folders, record)
  const cacheDir = join(dataDir, 'cache', 'dependencies')
  const prepared = await prepareDependencies({ project, folders, record, holder, cacheDir, signal, timeoutMs, onOutput })
  await removeFolder(folders.agentHome)
  if (record.setup.length > 0) await copyTree(folders.home, folders.agentHome)
  const ready: WorkspaceRecord = { ...record, ...prepared, state: 'ready' }
  await writeRecord(folders, ready)
  return workspaceOf(project, folders, ready, holder)
}

/** Opens the workspace of a run after a restart. Throws `environment` when there is none that is ready. */
export async function openWorkspace({ project, runId, dataDir, keeping, branch }: OpenOptions): Promise<Workspace> {
  const folders = foldersOf(dataDir, runId)
  const record = await readRecord(folders)
  if (record?.state !== 'ready') throw new ReeveError('environment', { problem: `Run ${runId} has no workspace in "${folders.root}".` })
  if (branch !== undefined && branch !== record.branch) {
    throw new ReeveError('environment', { problem: `The workspace of run ${runId} is on branch ${record.branch}, not ${branch}.` })
  }
  await healAfterDeath(project, folders, record)
  const holder = await holderOf({ project, dataDir, keeping }, folders, record)
  const present = await isFolder(folders.tree)
  return present ? workspaceOf(project, folders, record, holder) : await rebuild(project, folders, record, holder)
}

function holderOf(
  place: Pick<OpenOptions, 'project' | 'dataDir' | 'keeping'>,
  folders: RunFolders,
  record: WorkspaceRecord,
): Promise<Holder> {
  return createHolder({ ...place, folders, run: record.runId, setup: record.setup, trusted: true })
}

/** The tree was deleted by somebody: the last checkpoint is still in the private git dir. */
async function rebuild(project: Project, folders: RunFolders, record: WorkspaceRecord, holder: Holder): Promise<Workspace> {
  const admin = await addWorktree(project, { tree: folders.tree, branch: record.branch, runId: record.runId })
  const next = { ...record, admin }
  await writeRecord(folders, next)
  const place = { gitDir: folders.git, workTree: folders.tree, run: record.runId }
  await git(place, ['read-tree', 'HEAD'])
  await git(place, ['checkout-index', '--all', '--force', '-u', '-q'])
  await showIndex(folders, next)
  return workspaceOf(project, folders, next, holder)
}

/** One thing at a time: all of them use the same index. */
function oneAtATime(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const next = last.then(work, work)
    last = next.catch(() => {})
    return next
  }
}

function workspaceOf(project: Project, folders: RunFolders, record: WorkspaceRecord, holder: Holder): Workspace {
  const { runId, base, author, excludesFile, submodules } = record
  const place = { gitDir: folders.git, workTree: folders.tree, index: join(folders.git, 'index'), run: runId } satisfies GitPlace
  const bare = { gitDir: folders.git, run: runId }
  const alone = oneAtATime()
  const snapshot = (): Promise<Snapshot> => takeSnapshot({ place, submodules, excludesFile })
  const head = async () => (await git(bare, ['rev-parse', '--verify', 'HEAD'])).trim()
  const known = (commit: string): string => {
    // A full id and nothing else: git would take anything with a dash for an option.
    if (/^[0-9a-f]{40}(?:[0-9a-f]{24})?$/.test(commit)) return commit
    throw new ReeveError('unknown_revision', { revision: commit, path: folders.tree })
  }
  const treeOf = (commit: string) => resolveTree({ gitDir: folders.git }, commit)

  async function checkpoint(message: string): Promise<Checkpoint> {
    const [{ tree }, parent] = [await snapshot(), await head()]
    const changes = await changesBetween(bare, parent, tree)
    if (changes.length === 0) return { commit: parent, tree, changed: false, files: 0 }
    const commit = (await git(bare, ['commit-tree', tree, '-p', parent, '-F', '-'], { input: message, author })).trim()
    await git(bare, ['update-ref', 'refs/heads/task', commit, parent])
    crashAt('after-commit-before-publish')
    return { commit, tree, changed: true, files: changes.length }
  }

  async function keepAttempt(): Promise<Attempt> {
    const { tree } = await takeEverything({ project, folders, record })
    return await keepTree({ project, folders, record }, { tree, parent: await head(), author })
  }

  async function restore(commit: string, keep: boolean): Promise<void> {
    const target = await treeOf(known(commit))
    const before = await snapshot()
    const nested = await findNestedGit(place, excludesFile)
    const foreign = nested.filter((it) => !submodules.some((one) => one.path === it.holder))
    const last = await head()
    const differs = foreign.length > 0 || before.problems.length > 0 || before.tree !== (await treeOf(last))
    // A checkpoint that is left behind here (its step died before it was recorded) is work too, and no other ref may hold it.
    if (keep && (differs || last !== commit)) await keepAttempt()
    crashAt('after-keep-before-restore')
    for (const { path } of foreign) await removeFolder(join(folders.tree, path))
    await repairWorktree({ tree: folders.tree, ...record })
    await git(place, ['read-tree', '--reset', '-u', commit], { excludesFile })
    await git(bare, ['update-ref', 'refs/heads/task', commit])
    const after = await snapshot()
    if (after.tree === target) return
    const left = await changesBetween(bare, target, after.tree)
    const names = left
      .map((it) => it.path)
      .slice(0, 5)
      .join(', ')
    throw new ReeveError('environment', { problem: `The files of run ${runId} could not be put back: ${names} differ.` })
  }

  async function putBack(commit: string, paths: readonly string[]): Promise<void> {
    const there = new Set(await listFiles(bare, commit))
    const old = paths.filter((it) => there.has(it)).map((it) => `:(top,literal)${it}`)
    if (old.length > 0) await git(place, ['checkout', '-q', commit, '--', ...old], { excludesFile })
    for (const path of paths.filter((it) => !there.has(it))) await deleteFileIn(folders.tree, path, { missing: 'ok' })
  }

  async function scratch(commit: string, signal = new AbortController().signal): Promise<Scratch> {
    // Also at the base: programs of the change have been at work in the home that its setup would use.
    const its = await holder.ofChange()
    return await makeScratch({
      parent: folders.scratch,
      gitDir: folders.git,
      project,
      commit,
      targetDir: record.targetDir,
      hold: (tree) => its.run(tree),
      run: runId,
      prepare: (at) => alone(() => fillScratch({ folders, record, holder: its, signal, timeoutMs: SETUP_MS }, at)),
    })
  }

  async function publish(branch: boolean): Promise<string> {
    const commit = await head()
    await handOver(project, folders.git, 'refs/heads/task', runRef(runId))
    if (branch) await moveBranch(commit)
    return commit
  }

  /** Agents and people may have committed on the run's branch themselves: such commits are kept as an attempt. */
  async function moveBranch(commit: string): Promise<void> {
    const ref = `refs/heads/${record.branch}`
    const now = await readRef(project, ref)
    if (now !== commit) {
      const ours = (await git(bare, ['for-each-ref', '--format=%(objectname)', 'refs/branch'])).split('\n')
      if (now !== null && now !== base && !ours.includes(now)) await keepCommit(project, runId, now)
      await git(bare, ['update-ref', `refs/branch/${commit}`, commit]) // written first: after a crash the branch is known to be ours
      await gitIn(project, ['update-ref', ref, commit, now ?? '0'.repeat(commit.length)])
    }
    await showIndex(folders, record)
  }

  const own = holder.run(folders.tree, { git: folders.git })
  const agents = holder.run(folders.tree, { git: folders.git, home: folders.agentHome })
  return {
    path: folders.tree,
    targetDir: record.targetDir,
    ...own,
    agentEnv: agents.env,
    agentConfinement: agents.confinement,
    run: runId,
    holdAgent: (way) => holder.agent(folders.tree, way, { git: folders.git }),
    runId,
    project,
    branch: record.branch,
    base,
    treeHash: () => alone(async () => (await snapshot()).tree),
    problems: () => alone(async () => (await snapshot()).problems),
    checkpoint: (message) => alone(() => checkpoint(message)),
    keepAttempt: () => alone(keepAttempt),
    putBack: (commit, paths) => alone(() => putBack(commit, paths)),
    restore: (commit, options) => alone(() => restore(commit, options?.keep ?? true)),
    changes: (from = base, to?: string) =>
      alone(async (): Promise<FileChange[]> => {
        return await changesBetween(bare, known(from), to === undefined ? (await snapshot()).tree : known(to))
      }),
    patch: (from = base, maxBytes = PATCH_BYTES) =>
      alone(async () => await patchBetween(bare, known(from), (await snapshot()).tree, maxBytes)),
    fileAt: async (path, commit = base) => await showFile(bare, known(commit), path),
    filesAt: async (commit = base) => await listFiles(bare, known(commit)),
    scratch: async (commit = base, signal?: AbortSignal) => await scratch(known(commit), signal),
    publish: (options) => alone(() => publish(options?.branch ?? false)),
  }
}
