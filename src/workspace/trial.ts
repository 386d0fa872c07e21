import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { git, REEVE } from './git.ts'
import type { Keeping } from './held.ts'
import type { Workspace } from './port.ts'
import { openProject } from './project.ts'
import { createWorkspace } from './workspace.ts'

export interface TrialOptions {
  files: Readonly<Record<string, string>>
  keeping: Keeping
  signal: AbortSignal
}

/** Gives a workspace as a run has it, on a small repository of its own that is gone afterwards: for trying an agent. */
export async function inTrialWorkspace<T>(options: TrialOptions, use: (workspace: Workspace) => Promise<T>): Promise<T> {
  const { files, keeping, signal } = options
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'reeve-trial-')))
  try {
    const root = join(folder, 'project')
    await mkdir(join(root, '.git'), { recursive: true })
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(root, path)), { recursive: true })
      await writeFile(join(root, path), text)
    }
    const place = { gitDir: join(root, '.git'), workTree: root }
    await git(place, ['init', '-q', '--template=', '--initial-branch=main'])
    await git(place, ['add', '-A'])
    await git(place, ['commit', '-q', '-m', 'First commit'], { author: REEVE })
    const project = await openProject(root)
    const plan = { project, runId: 'trial', taskId: 'trial', role: 'trial', base: project.head, setup: [] }
    const workspace = await createWorkspace({ ...plan, dataDir: join(folder, 'data'), keeping, signal, timeoutMs: SETUP_MS })
    return await use(workspace)
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

// There is nothing to set up.
const SETUP_MS = 30_000
