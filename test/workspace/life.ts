import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { Project, Workspace } from '../../src/workspace/port.ts'
import { openProject } from '../../src/workspace/project.ts'
import { type CreateOptions, createWorkspace } from '../../src/workspace/workspace.ts'
import { temporaryFolder } from '../support/folder.ts'
import { unkept } from '../support/keeping.ts'
import { makeRepository } from '../support/repository.ts'

export interface Life {
  root: string
  dataDir: string
  project: Project
  options: CreateOptions
  workspace: Workspace
}

/** A workspace on a repository, by default a new one with these files. */
export async function live(files: Readonly<Record<string, string>>, more: Partial<CreateOptions> & { root?: string } = {}): Promise<Life> {
  const root = more.root ?? makeRepository(files)
  const project = await openProject(root)
  const options = createOptions(project, more)
  return { root, dataDir: options.dataDir, project, options, workspace: await createWorkspace(options) }
}

export function createOptions(project: Project, more: Partial<CreateOptions> = {}): CreateOptions {
  return {
    project,
    runId: 'r1',
    taskId: 'fix-it',
    role: 'backend',
    base: project.head,
    dataDir: more.dataDir ?? temporaryFolder('reeve-data-'),
    keeping: unkept,
    setup: [],
    signal: new AbortController().signal,
    timeoutMs: 60_000,
    ...more,
  }
}

/** reeve's own places in a repository: everything else is the user's. Objects only ever grow. */
const OURS = /^\.git\/(?:objects|worktrees|refs\/reeve|(?:logs\/)?refs\/heads\/auto)(?:\/|$)/

/** Path -> hash of mode and content for everything in a checkout that is not reeve's, `.git` included. */
export function fingerprint(root: string): Record<string, string> {
  const found: Record<string, string> = {}
  const look = (folder: string) => {
    for (const name of readdirSync(join(root, folder)).toSorted()) {
      const path = folder === '' ? name : `${folder}/${name}`
      if (OURS.test(path)) continue
      const stats = lstatSync(join(root, path))
      if (stats.isDirectory()) look(path)
      else {
        const content = stats.isSymbolicLink() ? readlinkSync(join(root, path)) : readFileSync(join(root, path))
        found[path] = createHash('sha256').update(`${stats.mode}:${stats.mtimeMs}:`).update(content).digest('hex')
      }
    }
  }
  look('')
  return found
}

/** git as a user's shell runs it; whether it fails does not matter here. */
export function asUser(cwd: string, args: readonly string[]): void {
  const identity = { GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a@b', GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a@b' }
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: cwd,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_PAGER: 'cat',
    ...identity,
  }
  try {
    execFileSync('git', args, { cwd, env, stdio: 'ignore' })
  } catch {
    // The attack may well break the command after it was executed.
  }
}
