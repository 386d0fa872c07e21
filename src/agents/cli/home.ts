import { lstat, open, readdir, readFile, realpath, rm } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, relative } from 'node:path'
import { deleteFileIn, readFileIn, writeFileIn } from '../../workspace/paths.ts'

/** Only its owner reads what is in a home. */
const MODE = 0o600
/** A log-in is a few kilobytes; whoever names a folder of sessions has named the wrong one. */
const MAX_LOGIN_BYTES = 4 * 1024 * 1024
const MAX_LOGIN_FILES = 200
/** A launcher lies in `bin` or `dist/cli` of its package. */
const LEVELS = 4

/** Writes files of a home. An agent has been at work there: links are replaced, never followed. */
export async function writeInHome(home: string, files: readonly { path: string; text: string | Uint8Array }[]): Promise<void> {
  for (const { path, text } of files) {
    await clearWay(home, path)
    await writeFileIn(home, path, text, { mode: MODE })
  }
}

/** Removes files of a home: keys and log-ins do not outlive the program they were for. What an agent has put in their way stays. */
export async function removeFromHome(home: string, paths: readonly string[]): Promise<void> {
  await Promise.allSettled(paths.map((it) => deleteFileIn(home, it, { missing: 'ok' })))
}

/** Whatever stands where a folder or the file itself should be is removed. */
async function clearWay(home: string, path: string): Promise<void> {
  const names = path.split('/')
  for (let count = 1; count <= names.length; count++) {
    const part = names.slice(0, count).join('/')
    const found = await lstat(join(home, part)).catch(() => null)
    if (found === null) return
    const last = count === names.length
    if (found.isDirectory() && last) await rm(join(home, part), { recursive: true, force: true })
    else if (!found.isDirectory()) await deleteFileIn(home, part, { missing: 'ok' })
  }
}

/** A log-in that was copied into a home. */
export interface Login {
  files: readonly string[]
  /** Has the program renewed it there? Then the user's own copy may be worth nothing any more. */
  renewed(): Promise<boolean>
}

/**
 * Copies a log-in of the user's into a home, afresh each time, and never back: what an agent has written must not become the user's credentials.
 * A copy, since programs that renew a log-in replace its file and fail where they may not. null: there is none.
 */
export async function copyLogin(realHome: string, home: string, paths: readonly string[]): Promise<Login | null> {
  const found = (await Promise.all(paths.map((it) => filesAt(realHome, it)))).flat()
  const files: { path: string; text: Uint8Array }[] = []
  let bytes = 0
  for (const path of found.slice(0, MAX_LOGIN_FILES)) {
    const text = await readFile(join(realHome, path))
    bytes += text.length
    if (bytes > MAX_LOGIN_BYTES) break
    files.push({ path, text })
  }
  if (files.length === 0) return null
  await writeInHome(home, files)
  return {
    files: files.map((it) => it.path),
    async renewed() {
      for (const { path, text } of files) {
        const now = await readFileIn(home, path, MAX_LOGIN_BYTES).catch(() => null)
        if (now !== null && !Buffer.from(text).equals(now)) return true
      }
      return false
    },
  }
}

/** The files at a path below a folder: itself, or all of a folder's. */
async function filesAt(root: string, path: string): Promise<string[]> {
  const found = await lstat(join(root, path)).catch(() => null)
  if (found === null) return []
  if (!found.isDirectory()) return [path]
  const entries = await readdir(join(root, path), { recursive: true, withFileTypes: true })
  return entries.filter((it) => it.isFile()).map((it) => relative(root, join(it.parentPath, it.name)))
}

/**
 * What must be readable for a program to start, and no more: where it lies there may be much else. The folder of the packages it lies in
 * (launchers load their neighbours), or of its own package; of a script, which starts something beside it, its folder; else the file alone.
 * `real`: where the program is over all links.
 */
export async function installationOf(program: string, realHome: string): Promise<{ real: string; shown: string }> {
  const real = await realpath(program).catch(() => program)
  const home = await realpath(realHome).catch(() => realHome)
  const parts = real.split('/')
  const packages = parts.indexOf('node_modules')
  const candidates = [
    ...(packages > 0 ? [parts.slice(0, packages + 1).join('/')] : []),
    ...(await packageAbove(real)),
    ...((await isScript(real)) ? [dirname(real)] : []),
  ]
  return { real, shown: candidates.find((it) => isOwn(it, home)) ?? real }
}

/** The nearest folder above that is a package, or an environment of Python. */
async function packageAbove(file: string): Promise<string[]> {
  let folder = dirname(file)
  for (let level = 0; level < LEVELS && folder !== '/'; level++) {
    for (const name of ['package.json', 'pyvenv.cfg']) if (await isThere(join(folder, name))) return [folder]
    folder = dirname(folder)
  }
  return []
}

async function isScript(file: string): Promise<boolean> {
  const handle = await open(file).catch(() => null)
  if (handle === null) return false
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0)
    return bytesRead === 2 && buffer.toString('latin1') === '#!'
  } finally {
    await handle.close()
  }
}

async function isThere(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => null)) !== null
}

/** Of the home's own folders with a dot those that many programs share, some for their keys. */
const SHARED_FOLDERS: readonly string[] = ['.config', '.local', '.cache', '.ssh', '.aws', '.gnupg', '.kube', '.docker']

/** Does a folder belong to one program? Not one that holds the home, nor a folder of the home's own such as `~/Downloads`, nor a `bin`. */
function isOwn(folder: string, home: string): boolean {
  const name = basename(folder)
  const ofHome = dirname(folder) === home
  return !holds(folder, home) && name !== 'bin' && (!ofHome || (name.startsWith('.') && !SHARED_FOLDERS.includes(name)))
}

/** Is a folder the home, or above it? */
function holds(folder: string, home: string): boolean {
  const way = relative(folder, home)
  return way === '' || (!way.startsWith('..') && !isAbsolute(way))
}
