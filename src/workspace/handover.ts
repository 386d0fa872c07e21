import { randomBytes } from 'node:crypto'
import { gitIn } from './git.ts'
import type { Project } from './port.ts'

/** Copies commits of a private git dir into the user's repository and points a ref there. Nothing but objects and this ref changes. */
export async function handOver(project: Pick<Project, 'gitDir'>, privateGit: string, from: string, to: string): Promise<void> {
  // A made-up address that stands for the path: the repository's own `url.*.insteadOf` cannot turn what it cannot foresee into another one.
  const address = `reeve-${randomBytes(12).toString('hex')}:`
  await gitIn(
    project,
    [
      'fetch',
      '-q',
      '--no-tags',
      '--no-write-fetch-head',
      '--no-auto-maintenance',
      '--no-recurse-submodules',
      '--no-show-forced-updates',
      '--upload-pack=git-upload-pack',
      '--',
      address,
      `+${from}:${to}`,
    ],
    { fetches: true, setting: [`url.${privateGit}.insteadOf`, address] },
  )
}
