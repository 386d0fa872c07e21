import { copyFile, mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Confinement } from '../process/port.ts'
import { copyIfThere, removeFolder } from './folders.ts'
import { git, type TreePlace } from './git.ts'
import { copyIndex } from './index-file.ts'
import { deleteFileIn, writeFileIn } from './paths.ts'
import type { Project, Scratch } from './port.ts'

export interface ScratchOptions {
  /** Where it is made, in a folder of its own. */
  parent: string
  /** Private git dir whose commits it may show. */
  gitDir: string
  project: Pick<Project, 'objectFormat'>
  commit: string
  targetDir: string
  /** How programs in it are started, by its tree. */
  hold(tree: string): { env: Readonly<Record<string, string>>; confinement?: Confinement }
  run: string | undefined
  /** Puts the dependencies in place. */
  prepare(place: TreePlace): Promise<void>
}

/**
 * Files of a commit in a folder of their own, with a small git dir beside them: programs that ask git (for versions, for the list of files)
 * find there what they find in the workspace. reeve itself never calls git through it.
 */
export async function makeScratch(options: ScratchOptions): Promise<Scratch> {
  const { parent, gitDir, commit, run } = options
  await mkdir(parent, { recursive: true, mode: 0o700 })
  const root = await mkdtemp(join(parent, 's-'))
  const tree = join(root, 'tree')
  try {
    await mkdir(tree)
    const index = join(root, 'index')
    const place: TreePlace = { gitDir, workTree: tree, index, ...(run === undefined ? {} : { run }) }
    await git(place, ['read-tree', commit])
    await git(place, ['checkout-index', '--all', '--force', '-u', '-q'])
    await makeSmallGit(join(tree, '.git'), options, index)
    await options.prepare(place)
  } catch (error) {
    await removeFolder(root)
    throw error
  }
  return {
    path: tree,
    targetDir: options.targetDir,
    ...options.hold(tree),
    ...(run === undefined ? {} : { run }),
    commit,
    async put(path, content) {
      if (content === null) await deleteFileIn(tree, path, { missing: 'ok' })
      else await writeFileIn(tree, path, content)
    },
    dispose: () => removeFolder(root),
  }
}

async function makeSmallGit(dir: string, { gitDir, commit, project }: ScratchOptions, index: string): Promise<void> {
  for (const folder of ['objects/info', 'objects/pack', 'refs/heads', 'info']) await mkdir(join(dir, folder), { recursive: true })
  const extensions = project.objectFormat === 'sha256' ? '[extensions]\n\tobjectFormat = sha256\n' : ''
  const version = project.objectFormat === 'sha256' ? 1 : 0
  await writeFile(join(dir, 'config'), `[core]\n\trepositoryformatversion = ${version}\n\tbare = false\n${extensions}`)
  await writeFile(join(dir, 'HEAD'), `${commit}\n`)
  await writeFile(join(dir, 'objects/info/alternates'), `${join(gitDir, 'objects')}\n`)
  await copyFile(join(gitDir, 'info/exclude'), join(dir, 'info/exclude'))
  await copyIfThere(join(gitDir, 'shallow'), join(dir, 'shallow'))
  await copyIndex(index, join(dir, 'index'))
}
