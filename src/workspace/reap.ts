import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { crashAt } from '../core/crash.ts'
import { ReeveError } from '../core/errors.ts'
import { attemptsOf, keepTree, takeEverything } from './attempts.ts'
import { isFolder, openUp, removeFolder } from './folders.ts'
import { git, gitIn, resolveTree } from './git.ts'
import { handOver } from './handover.ts'
import { healAfterDeath } from './make-workspace.ts'
import { exists } from './nested.ts'
import type { Project } from './port.ts'
import { foldersOf, type RunFolders, readRecord, type WorkspaceRecord, writeRecord } from './record.ts'
import { baseRef, readRef, removeWorktree, runRef } from './worktree.ts'

export interface ReapOptions {
  project: Project
  runId: string
  dataDir: string
  /** What becomes of the run's branch; `delete` leaves one that a person has added commits to. Default `keep`. */
  branch?: 'keep' | 'delete'
  /** `refuse`: work that is in no ref yet is an error instead of being kept first. Default `keep`. */
  unsaved?: 'keep' | 'refuse'
  /** Also gives up the kept attempts: their bytes are then gone. */
  forgetAttempts?: boolean
}

/**
 * Removes a workspace: registration, files, private git dir, pins. The only delete path. Before anything is removed every byte that git
 * would not ignore is reachable from a ref of the user's repository; else `not_snapshotted`. Called again after a crash it goes on.
 */
export async function reap(options: ReapOptions): Promise<void> {
  const { project, runId, dataDir } = options
  const folders = foldersOf(dataDir, runId)
  const record = await readRecord(folders)
  if (record?.state === 'ready') {
    await healAfterDeath(project, folders, record)
    await keepAll(options, folders, record)
    await writeRecord(folders, { ...record, state: 'reaping' })
  }
  await removeRefs(options, record)
  await removeWorktree(project, folders.tree)
  await removeRun(folders)
}

/** The record goes last: until then a run whose removal was cut short is known as one that is being removed, not taken for a new one. */
async function removeRun(folders: RunFolders): Promise<void> {
  const entries = (await isFolder(folders.root)) ? await readdir(folders.root) : []
  const others = entries.map((it) => join(folders.root, it)).filter((it) => it !== folders.record)
  await Promise.all(others.map(removeFolder))
  crashAt('after-removal-before-record')
  await removeFolder(folders.root)
}

async function keepAll({ project, runId, unsaved }: ReapOptions, folders: RunFolders, record: WorkspaceRecord): Promise<void> {
  const lost = new ReeveError('not_snapshotted', { run: runId })
  const hasTree = await isFolder(folders.tree)
  if (!(await exists(join(folders.git, 'HEAD')))) {
    if (hasTree) throw lost
    return
  }
  const place = { gitDir: folders.git, run: runId }
  const head = (await git(place, ['rev-parse', '--verify', 'HEAD'])).trim()
  await handOver(project, folders.git, 'refs/heads/task', runRef(runId))
  if (!hasTree) return
  const tree = await wholeTree({ project, folders, record }, lost)
  if (tree === (await resolveTree({ gitDir: folders.git }, head))) return
  const kept = (await attemptsOf(project, runId)).some((it) => it.tree === tree)
  if (kept) return
  if (unsaved === 'refuse') throw lost
  await keepTree({ project, folders, record }, { tree, parent: head, author: record.author })
}

/** The tree of everything; a file that a program made unreadable is made readable first. */
async function wholeTree(keeper: { project: Project; folders: RunFolders; record: WorkspaceRecord }, lost: ReeveError): Promise<string> {
  const first = await takeEverything(keeper)
  if (missing(first.problems).length === 0) return first.tree
  await openUp(keeper.folders.tree, { files: true })
  const second = await takeEverything(keeper)
  if (missing(second.problems).length > 0) throw lost
  return second.tree
}

/** Pipes and devices hold no bytes. */
function missing(problems: readonly string[]): string[] {
  return problems.filter((it) => it.includes('Not taken') && !it.includes('can only add regular files'))
}

async function removeRefs(options: ReapOptions, record: WorkspaceRecord | null): Promise<void> {
  const { project, runId } = options
  const doomed = new Set<string>()
  if (options.forgetAttempts) for (const it of await attemptsOf(project, runId)) doomed.add(it.ref)
  const branch = `refs/heads/${record?.branch ?? ''}`
  const tip = record?.branch ? await readRef(project, branch) : null
  if (options.branch === 'delete' && tip !== null && record !== null && (await isOurs(options, record, branch, tip))) doomed.add(branch)

  const published = await readRef(project, runRef(runId))
  if (published !== null && (options.forgetAttempts || (await holdersOf(project, published)).some((it) => !doomed.has(it)))) {
    doomed.add(runRef(runId)) // what it points at is held by a ref that stays
  }
  if ((await readRef(project, baseRef(runId))) !== null) doomed.add(baseRef(runId))
  const input = [...doomed].map((it) => `delete ${it}\n`).join('')
  if (input !== '') await gitIn(project, ['update-ref', '--stdin'], { input })
}

/** Was everything on the branch made by this run? A person may have added commits. */
async function isOurs({ project, runId }: ReapOptions, record: WorkspaceRecord, branch: string, tip: string): Promise<boolean> {
  if (tip === record.base) return true
  const holders = await gitIn(project, ['for-each-ref', '--contains', tip, '--format=%(refname)', 'refs'])
  const run = [runRef(runId), `refs/reeve/attempts/${runId}/`]
  return holders
    .split('\n')
    .some((it) => it !== '' && it !== branch && (run.some((one) => it.startsWith(one)) || !it.startsWith('refs/reeve/')))
}

/** Refs other than pins that a commit is reachable from. */
async function holdersOf(project: Project, commit: string): Promise<string[]> {
  const where = ['refs/heads', 'refs/tags', 'refs/remotes', 'refs/reeve/attempts']
  const listing = await gitIn(project, ['for-each-ref', '--contains', commit, '--format=%(refname)', ...where])
  return listing.split('\n').filter(Boolean)
}
