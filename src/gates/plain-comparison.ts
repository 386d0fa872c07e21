import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { shareDependencies } from '../workspace/dependencies.ts'
import { changesBetween } from '../workspace/diff.ts'
import { git, REEVE, resolveTree } from '../workspace/git.ts'
import type { Checkout, Project } from '../workspace/port.ts'
import { makePrivateGit } from '../workspace/private-git.ts'
import { foldersOf, type RunFolders, type WorkspaceRecord } from '../workspace/record.ts'
import { listFiles, resolveCommit, showFile } from '../workspace/revisions.ts'
import { makeScratch } from '../workspace/scratch.ts'
import { takeSnapshot } from '../workspace/snapshot.ts'
import type { Comparison } from './port.ts'

export interface CheckoutComparison {
  /** null when nothing differs: then there is nothing that an earlier state could excuse. */
  comparison: Comparison | null
  tree: string
}

/** A person changes their own configuration of reeve as they like; it is no tampering. */
const OWN = /(?:^|\/)(?:reeve(?:\.[\w-]+)?\.toml$|\.reeve\/)/

/** Compares a user's checkout with a commit by a private git dir in `folder`: nothing in the checkout or its repository is touched. */
export async function compareCheckout(options: {
  project: Project
  checkout: Checkout
  base: string | undefined
  folder: string
}): Promise<CheckoutComparison> {
  const { project, checkout, folder } = options
  const base = await resolveCommit(project, options.base ?? 'HEAD')
  const folders: RunFolders = { ...foldersOf(folder, 'gate'), tree: project.root }
  await mkdir(folders.root, { recursive: true, mode: 0o700 })
  const exclude = await readFile(join(project.gitDir, 'info/exclude'), 'utf8').catch(() => '')
  await makePrivateGit({ dir: folders.git, project, exclude })
  const own = { gitDir: folders.git, workTree: project.root, index: join(folders.git, 'index') }
  await git(own, ['read-tree', base])

  const index = join(folders.root, 'snapshot-index')
  await git({ ...own, index }, ['read-tree', base])
  const submodules = await submodulesOf(folders.git, base)
  const { tree } = await takeSnapshot({ place: { ...own, index }, submodules, excludesFile: '' })
  const changes = (await changesBetween({ gitDir: folders.git }, base, tree)).filter((it) => !OWN.test(it.path))
  if (changes.length === 0) return { comparison: null, tree }

  const record = recordOf(base, checkout)
  const comparison: Comparison = {
    base,
    baseTree: await resolveTree(project, base),
    changes,
    fileAtBase: (path) => showFile(project, base, path),
    filesAtBase: () => listFiles(project, base),
    baseCheckout: () =>
      makeScratch({
        parent: folders.scratch,
        gitDir: folders.git,
        project,
        commit: base,
        targetDir: checkout.targetDir,
        hold: () => ({ env: checkout.env, ...(checkout.confinement === undefined ? {} : { confinement: checkout.confinement }) }),
        run: undefined,
        prepare: ({ workTree }) => shareDependencies({ folders, record }, workTree),
      }),
  }
  return { comparison, tree }
}

async function submodulesOf(gitDir: string, commit: string): Promise<{ path: string; id: string }[]> {
  const listing = await git({ gitDir }, ['ls-tree', '-r', '-z', '--full-tree', commit])
  return listing.split('\0').flatMap((line) => {
    const found = /^160000 commit ([0-9a-f]+)\t(.*)$/s.exec(line)
    return found ? [{ id: found[1] ?? '', path: found[2] ?? '' }] : []
  })
}

function recordOf(base: string, checkout: Checkout): WorkspaceRecord {
  return {
    state: 'ready',
    runId: 'gate',
    taskId: '',
    role: '',
    base,
    branch: '',
    targetDir: checkout.targetDir,
    setup: [],
    author: REEVE,
    excludesFile: '',
    submodules: [],
    included: [],
    admin: '',
  }
}
