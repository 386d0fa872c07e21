import { mkdir, mkdtemp, realpath } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fillScratch, prepareDependencies } from './dependencies.ts'
import { changesBetween } from './diff.ts'
import { removeFolder } from './folders.ts'
import { git, REEVE, type TreePlace } from './git.ts'
import { createHolder, type Keeping } from './held.ts'
import type { FileChange, Project, Scratch } from './port.ts'
import { makePrivateGit } from './private-git.ts'
import { foldersOf, type WorkspaceRecord } from './record.ts'
import { listFiles, showFile } from './revisions.ts'
import { makeScratch } from './scratch.ts'

export interface CloneOptions {
  project: Project
  commit: string
  targetDir?: string
  setup: readonly string[]
  keeping: Keeping
  /** What is installed is what a change wants, not the base: it is kept apart from what other runs use. */
  change: boolean
  /** Folder of all runs and caches: an install that was made before is taken from there. */
  dataDir: string
  signal: AbortSignal
  /** For each setup command. */
  timeoutMs: number
  /** The run whose programs will work in it, and a folder of that run to make it in; a temporary folder of its own when absent. */
  run?: { id: string; folder: string }
}

/** A clean copy of a project at a commit: nothing of the user's checkout or of any workspace is in it. */
export interface Clone extends Scratch {
  changesFrom(base: string): Promise<FileChange[]>
  fileAt(path: string, commit: string): Promise<string | null>
  filesAt(commit: string): Promise<string[]>
  /** A disposable checkout of another commit, with the same dependencies. */
  scratch(commit: string): Promise<Scratch>
}

/** Makes a clean copy. Only git's objects are borrowed from the project. Throws `environment` when a setup command fails. */
export async function cloneAt(options: CloneOptions): Promise<Clone> {
  const { project, commit, dataDir, signal, timeoutMs } = options
  const run = options.run?.id
  if (options.run) await mkdir(options.run.folder, { recursive: true, mode: 0o700 })
  const root = await realpath(await mkdtemp(join(options.run?.folder ?? tmpdir(), 'reeve-clone-')))
  const folders = foldersOf(root, 'clone')
  const record = recordOf(options)
  const { keeping, setup } = options
  const bare = { gitDir: folders.git }
  try {
    await makePrivateGit({ dir: folders.git, project })
    const holder = await createHolder({ keeping, project, folders, dataDir, run, setup, trusted: !options.change })
    const hold = (tree: string) => holder.run(tree)
    const common = { parent: folders.scratch, gitDir: folders.git, project, targetDir: record.targetDir, hold, run }
    let main = { ...folders, tree: '' }
    let filled = record
    const clone = await makeScratch({
      ...common,
      commit,
      prepare: async ({ workTree: tree }) => {
        main = { ...folders, tree }
        await git({ gitDir: folders.git, workTree: tree, index: join(folders.git, 'index') }, ['read-tree', commit])
        const cacheDir = join(dataDir, 'cache', 'dependencies')
        const ownCacheDir = options.change ? (options.run ? join(options.run.folder, '..', 'installs') : join(root, 'installs')) : undefined
        const prepared = await prepareDependencies({ project, folders: main, record, holder, cacheDir, ownCacheDir, signal, timeoutMs })
        filled = { ...record, ...prepared }
      },
    })
    const prepare = (place: TreePlace) => fillScratch({ folders: main, record: filled, holder, signal, timeoutMs }, place)
    return {
      ...clone,
      changesFrom: (base) => changesBetween(bare, base, commit),
      fileAt: (path, at) => showFile(bare, at, path),
      filesAt: (at) => listFiles(bare, at),
      scratch: (at) => makeScratch({ ...common, commit: at, prepare }),
      dispose: () => removeFolder(root),
    }
  } catch (error) {
    await removeFolder(root)
    throw error
  }
}

function recordOf({ commit, targetDir, setup, run }: CloneOptions): WorkspaceRecord {
  return {
    state: 'ready',
    runId: run?.id ?? 'clone',
    taskId: '',
    role: '',
    base: commit,
    branch: '',
    targetDir: targetDir ?? '.',
    setup: [...setup],
    author: REEVE,
    excludesFile: '',
    submodules: [],
    included: [],
    admin: '',
  }
}
