import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { copyIfThere } from './folders.ts'
import { git } from './git.ts'
import type { Project } from './port.ts'

/** From now on this git dir takes and gives bytes as they are: a task's attributes have made the usual way impossible. */
export async function takeBytesAsTheyAre(gitDir: string): Promise<void> {
  await writeFile(join(gitDir, 'info/attributes'), RAW)
}

/** No driver of any name: `info/attributes` wins over every `.gitattributes` that a task can write. */
const NO_DRIVERS = '* !filter !diff !merge\n'
/** Bytes as they are, whatever the tree's attributes say about line ends and encodings. */
const RAW = '* -text !eol !ident !working-tree-encoding !filter !diff !merge\n'

export interface PrivateGitOptions {
  dir: string
  project: Pick<Project, 'gitDir' | 'objectFormat'>
  /** Lines for `info/exclude`. */
  exclude?: string
  /** Take bytes as they are, no conversion of line ends. */
  raw?: boolean
}

/**
 * Makes a bare git dir that borrows the objects of the user's repository and shares none of its configuration, hooks or attributes. What is
 * half made after a crash is made again.
 */
export async function makePrivateGit({ dir, project, exclude = '', raw = false }: PrivateGitOptions): Promise<void> {
  const half = `${dir}.half`
  await rm(half, { recursive: true, force: true })
  await rm(dir, { recursive: true, force: true })
  await mkdir(half, { recursive: true, mode: 0o700 })
  const format = `--object-format=${project.objectFormat}`
  await git({ gitDir: half }, ['init', '-q', '--bare', '--template=', '--initial-branch=task', format])
  const config = await readFile(join(half, 'config'), 'utf8')
  // Names that only other systems confuse with `.git` are bytes to keep like others.
  const names = raw ? '[core]\n\tprotectNTFS = false\n\tprotectHFS = false\n' : ''
  await writeFile(join(half, 'config'), config.replace(/bare = true/, 'bare = false') + names)
  await mkdir(join(half, 'objects/info'), { recursive: true })
  await writeFile(join(half, 'objects/info/alternates'), `${join(project.gitDir, 'objects')}\n`)
  await mkdir(join(half, 'info'), { recursive: true })
  await writeFile(join(half, 'info/exclude'), exclude)
  await writeFile(join(half, 'info/attributes'), raw ? RAW : NO_DRIVERS)
  // History of a shallow clone ends where its file says so.
  await copyIfThere(join(project.gitDir, 'shallow'), join(half, 'shallow'))
  await rename(half, dir)
}
