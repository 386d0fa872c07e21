import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { crashAt } from '../core/crash.ts'
import { sweepRun } from '../process/sweep.ts'
import { removeFolder } from './folders.ts'
import { git, gitIn, REEVE, readUserConfig } from './git.ts'
import { generatedExcludes } from './ignored.ts'
import { replaceIndex } from './index-file.ts'
import { takeOver } from './owner.ts'
import type { Project } from './port.ts'
import { makePrivateGit } from './private-git.ts'
import { foldersOf, type RunFolders, readRecord, type WorkspaceRecord, writeRecord } from './record.ts'
import { entriesOf, resolveCommit } from './revisions.ts'
import { addWorktree, baseRef, branchOf, readRef, repairWorktree, reserveBranch, runRef } from './worktree.ts'

export interface WorkspacePlan {
  project: Project
  runId: string
  taskId: string
  role: string
  /** Commit to begin from. */
  base: string
  /** Folder within the checkout that is worked on; default all. */
  targetDir?: string
  setup: readonly string[]
}

/** The run's branch, private git dir and worktree with the files of the base. What a crash left half made is made again. */
export async function makeTree(plan: WorkspacePlan, dataDir: string): Promise<{ folders: RunFolders; record: WorkspaceRecord }> {
  const { project, runId } = plan
  const folders = foldersOf(dataDir, runId)
  await mkdir(folders.root, { recursive: true, mode: 0o700 })
  let record = (await readRecord(folders)) ?? (await newRecord(plan))
  await healAfterDeath(project, folders, record)
  const save = async (change: Partial<WorkspaceRecord>) => {
    record = { ...record, ...change }
    await writeRecord(folders, record)
  }
  const pin = await readRef(project, baseRef(runId))
  // A pin without a record is left from a data folder that was deleted.
  if (pin !== null && record.branch === '') await gitIn(project, ['update-ref', '-d', baseRef(runId), pin])
  if (pin === null || record.branch === '') {
    await reserveBranch(project, {
      wanted: branchOf(plan.role, plan.taskId),
      runId,
      base: record.base,
      intend: (branch) => save({ branch }),
    })
  }
  await makePrivateGit({ dir: folders.git, project, exclude: await excludesOf(project, record) })
  const place = { gitDir: folders.git, workTree: folders.tree, index: join(folders.git, 'index'), run: runId }
  await git({ gitDir: folders.git }, ['update-ref', 'refs/heads/task', record.base])
  const admin = await addWorktree(project, { tree: folders.tree, branch: record.branch, runId })
  await save({ admin })
  crashAt('after-worktree-before-record')
  await git(place, ['read-tree', record.base])
  await git(place, ['checkout-index', '--all', '--force', '-u', '-q'])
  await showIndex(folders, record)
  return { folders, record }
}

/** Gives the registered worktree the index of the private one, so that `git status` there is right and quick for people. */
export async function showIndex(folders: RunFolders, record: WorkspaceRecord): Promise<void> {
  await repairWorktree({ tree: folders.tree, ...record })
  await replaceIndex(join(folders.git, 'index'), join(record.admin, 'index'))
}

/**
 * Puts in order what an earlier reeve left when it died: its programs, also a git that still writes; their locks, only on what belongs to
 * this run alone; its scratch checkouts. Does nothing while the process that worked with the workspace lives.
 */
export async function healAfterDeath(project: Pick<Project, 'gitDir'>, folders: RunFolders, record: WorkspaceRecord): Promise<void> {
  if (!(await takeOver(folders.owner))) return
  await sweepRun(record.runId)
  const own = ['index', 'HEAD', 'packed-refs', 'refs/heads/task'].map((it) => join(folders.git, it))
  const refs = [`refs/heads/${record.branch}`, baseRef(record.runId), runRef(record.runId)].map((it) => join(project.gitDir, it))
  await Promise.all([...own, ...refs].map((it) => rm(`${it}.lock`, { force: true })))
  await removeFolder(folders.scratch)
}

async function newRecord(plan: WorkspacePlan): Promise<WorkspaceRecord> {
  const { project } = plan
  const base = await resolveCommit(project, plan.base)
  const config = new Map(await readUserConfig(project.gitDir, '^(user\\.(name|email)|core\\.excludesfile)$'))
  const [name, email] = [config.get('user.name') ?? '', config.get('user.email') ?? '']
  const entries = entriesOf(await gitIn(project, ['ls-tree', '-r', '-z', '--full-tree', base]))
  return {
    state: 'making',
    runId: plan.runId,
    taskId: plan.taskId,
    role: plan.role,
    base,
    branch: '',
    targetDir: plan.targetDir ?? '.',
    setup: [...plan.setup],
    author: name !== '' && email !== '' ? { name, email } : REEVE,
    excludesFile: excludesFileOf(config.get('core.excludesfile')),
    submodules: entries.filter((it) => it.type === 'commit').map(({ path, id }) => ({ path, id })),
    included: [],
    admin: '',
  }
}

/** The user's own list of ignored files, where git looks for it. */
function excludesFileOf(configured: string | undefined): string {
  const home = process.env['HOME'] ?? ''
  if (configured) return configured.replace(/^~(?=\/)/, home)
  return join(process.env['XDG_CONFIG_HOME'] || join(home, '.config'), 'git/ignore')
}

async function excludesOf(project: Project, record: WorkspaceRecord): Promise<string> {
  const own = await readFile(join(project.gitDir, 'info/exclude'), 'utf8').catch(() => '')
  const paths = (await gitIn(project, ['ls-tree', '-r', '-z', '--name-only', '--full-tree', record.base])).split('\0')
  return `${own}\n${generatedExcludes(paths).join('\n')}\n`
}
