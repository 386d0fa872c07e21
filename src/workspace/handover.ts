import { gitIn } from './git.ts'
import type { Project } from './port.ts'

/** Copies commits of a private git dir into the user's repository and points a ref there. Nothing but objects and this ref changes. */
export async function handOver(project: Pick<Project, 'gitDir'>, privateGit: string, from: string, to: string): Promise<void> {
  await gitIn(project, [
    'fetch',
    '-q',
    '--no-tags',
    '--no-write-fetch-head',
    '--no-auto-maintenance',
    '--no-recurse-submodules',
    '--no-show-forced-updates',
    '--upload-pack=git-upload-pack',
    '--',
    privateGit,
    `+${from}:${to}`,
  ])
}
