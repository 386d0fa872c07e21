import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { ReeveError } from '../core/errors.ts'
import { parseJson } from '../core/json.ts'

const RecordSchema = z.object({
  /** `making`: nobody has worked in it yet, it may be made anew. `reaping`: everything is kept, only removal is left. */
  state: z.enum(['making', 'ready', 'reaping']),
  runId: z.string(),
  taskId: z.string(),
  role: z.string(),
  base: z.string(),
  branch: z.string(),
  targetDir: z.string(),
  setup: z.array(z.string()),
  author: z.object({ name: z.string(), email: z.string() }),
  excludesFile: z.string(),
  /** Submodules of the base: they stay as they are. */
  submodules: z.array(z.object({ path: z.string(), id: z.string() })),
  /** Files copied from the user's checkout because `.worktreeinclude` of the base names them. */
  included: z.array(z.string()),
  /** The setup makes more than dependencies, such as sources or builds that git ignores: every scratch checkout needs its own. */
  generates: z.boolean().optional(),
  /** The worktree's folder in the user's git dir, '' before there is one. */
  admin: z.string(),
})

/** What is written down of a workspace, beside its files. */
export type WorkspaceRecord = z.infer<typeof RecordSchema>

/** Where the parts of a run's workspace lie. */
export interface RunFolders {
  root: string
  /** The worktree. */
  tree: string
  /** The private git dir that commits. */
  git: string
  /** A second one that takes bytes as they are, for attempts. Its objects go to `git`. */
  raw: string
  home: string
  /** Home of what an agent starts; begins as a copy of what the setup left in the other one. */
  agentHome: string
  /** Exclude lines of what the setup installed: attempts leave it out, since the setup brings it back. */
  installed: string
  /** Names the process that works with the workspace. */
  owner: string
  scratch: string
  record: string
}

/** Where a run's disposable checkouts lie; emptied when the workspace is opened after a death. */
export function scratchFolder(dataDir: string, runId: string): string {
  return foldersOf(dataDir, runId).scratch
}

/** Throws `invalid_input` for a run id that is no single safe name. */
export function foldersOf(dataDir: string, runId: string): RunFolders {
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(runId)) throw new ReeveError('invalid_input', { problem: `"${runId}" is not a run id.` })
  const root = join(dataDir, 'runs', runId)
  return {
    root,
    tree: join(root, 'tree'),
    git: join(root, 'git'),
    raw: join(root, 'raw'),
    home: join(root, 'home'),
    agentHome: join(root, 'agent-home'),
    installed: join(root, 'installed'),
    owner: join(root, 'owner'),
    scratch: join(root, 'scratch'),
    record: join(root, 'workspace.json'),
  }
}

/** The record of a workspace, null when there is none. */
export async function readRecord(folders: RunFolders): Promise<WorkspaceRecord | null> {
  const text = await readFile(folders.record, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  return text === null ? null : RecordSchema.parse(parseJson(text, folders.record))
}

export async function writeRecord(folders: RunFolders, record: WorkspaceRecord): Promise<void> {
  await mkdir(folders.root, { recursive: true, mode: 0o700 })
  await writeFile(`${folders.record}.new`, JSON.stringify(record, null, 2))
  await rename(`${folders.record}.new`, folders.record)
}
