import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { ReeveError } from '../core/errors.ts'
import { runProgram } from '../process/run-program.ts'
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
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(root, path)), { recursive: true })
      await writeFile(join(root, path), text)
    }
    await git(root, 'init', '-q', '-b', 'main')
    await git(root, 'add', '-A')
    await git(root, '-c', 'user.name=reeve', '-c', 'user.email=reeve@localhost', 'commit', '-q', '-m', 'First commit')
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

async function git(cwd: string, ...args: string[]): Promise<void> {
  const env = { PATH: process.env['PATH'] ?? '', HOME: cwd, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' }
  const { exitCode, problem } = await runProgram({ argv: ['git', ...args], cwd, env, timeoutMs: SETUP_MS, trusted: true })
  if (exitCode !== 0) throw new ReeveError('git_failed', { command: args[0] ?? 'git', problem })
}
