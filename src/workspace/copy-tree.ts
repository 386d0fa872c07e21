import { constants } from 'node:fs'
import { cp, mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ReeveError } from '../core/errors.ts'
import { searchPath } from '../process/env.ts'
import { runProgram } from '../process/run-program.ts'
import { listDirIn, readFileIn, writeFileIn } from './paths.ts'

// A large node_modules on a slow disk.
const TIMEOUT_MS = 15 * 60_000

/** Copies a file or folder with links, modes and times; shares the blocks where the file system can. `to` must not exist. */
export async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true })
  // The system's own program takes a third of the time of a walk from here, and none of this process's.
  const flags = process.platform === 'darwin' ? ['-cRp'] : ['-a', '--reflink=auto']
  const env = { PATH: searchPath(process.env), LC_ALL: 'C' }
  const result = await runProgram({ argv: ['cp', ...flags, '--', from, to], cwd: dirname(to), env, timeoutMs: TIMEOUT_MS, trusted: true })
  if (result.exitCode === 0) return
  await cp(from, to, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true, mode: constants.COPYFILE_FICLONE })
}

/**
 * A Python environment names its own folder in scripts and settings; after a copy these still name the old one. Programs of a task have been at
 * work in it: no link is followed, and nothing outside of `to` is touched.
 */
export async function relocatePython(folder: string, from: string, to: string): Promise<void> {
  if (from === to || (await textIn(folder, 'pyvenv.cfg')) === null) return
  const libraries = (await childrenOf(folder, 'lib')).map((it) => `lib/${it}/site-packages`)
  const packages = await Promise.all(libraries.map(async (it) => (await childrenOf(folder, it)).map((name) => `${it}/${name}`)))
  const installed = packages.flat().flatMap((path) => {
    if (path.endsWith('.dist-info')) return [`${path}/direct_url.json`]
    return path.endsWith('.pth') || /\/__editable__[^/]*$/.test(path) ? [path] : []
  })
  const scripts = (await childrenOf(folder, 'bin')).map((it) => `bin/${it}`)
  await Promise.all(['pyvenv.cfg', ...scripts, ...installed].map((it) => replaceIn(folder, it, from, to)))
}

// Scripts and settings are short; anything larger is a program.
const MOST_BYTES = 1024 * 1024

async function childrenOf(root: string, folder: string): Promise<string[]> {
  const entries = await listDirIn(root, folder).catch(refusedAs<Awaited<ReturnType<typeof listDirIn>>>([]))
  return entries.map((it) => it.name)
}

async function textIn(root: string, path: string): Promise<Buffer | null> {
  const bytes = await readFileIn(root, path, MOST_BYTES).catch(refusedAs(null))
  return bytes === null ? null : Buffer.from(bytes)
}

async function replaceIn(root: string, path: string, from: string, to: string): Promise<void> {
  const before = await textIn(root, path)
  if (before === null || !before.includes(from) || before.includes(0)) return
  await writeFileIn(root, path, before.toString('utf8').replaceAll(from, to)).catch(refusedAs(undefined))
}

/** What the path rules refuse (a link, a missing folder, a binary that is too large) is none of the files that are meant. */
function refusedAs<T>(instead: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof ReeveError) return instead
    throw error
  }
}
