import type { Stats } from 'node:fs'
import { lstat, open, realpath } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { ReeveError } from '../core/errors.ts'
import type { Checkout } from '../workspace/port.ts'
import { BINARY_EXTENSIONS, FOREIGN_FOLDERS, LOCKFILES, MADE_BY, MANIFESTS, OUTPUT_FOLDERS } from './folder-table.ts'
import { gitFiles, type ListedFile } from './git-files.ts'
import { extensionOf, languageOf } from './languages.ts'
import type { Skipped } from './port.ts'
import { walkFiles } from './walk-files.ts'

export interface FileSurvey {
  /** Text files of the project, sorted, from the checkout's root with `/`. */
  files: string[]
  /** What was left out; a folder ends in `/` and stands for all in it. */
  skipped: Skipped[]
}

/** Larger files are data or generated. */
export const LARGEST_FILE = 1024 * 1024
// Where git too looks for a NUL before it calls a file binary.
const SNIFFED = 8000
// More opens at once make nothing faster and can hit the limit of open files.
const AT_ONCE = 64
const SHOWN_SKIPPED = 500

/**
 * The project's own text files and lockfiles: what git knows and does not ignore, without binaries, files over 1 MB, symbolic links,
 * installed, vendored and generated folders. With a `targetDir`: the files below it and, so that manifests and lockfiles of a monorepo are seen, those that lie
 * directly in the folders above it. Throws `path_refused` for a `targetDir` outside, `file_not_found` for a checkout that is not there.
 */
export async function listProjectFiles(checkout: Checkout): Promise<string[]> {
  return (await surveyFiles(checkout)).files
}

/** `listProjectFiles` with what was left out and why. */
export async function surveyFiles(checkout: Checkout): Promise<FileSurvey> {
  const target = targetOf(checkout)
  const root = await realpath(checkout.path).catch(() => {
    throw new ReeveError('file_not_found', { path: checkout.path })
  })
  const skipped: Skipped[] = []
  const listed = await listing(checkout, skipped)
  const inTarget = listed.filter((it) => seenFrom(target, it.path))
  const own = withoutFolders(inTarget, skipped)
  const inside = await withoutLinkedFolders(root, own, skipped)
  const files = await textFiles(checkout.path, inside, skipped)
  return { files: [...new Set(files)].toSorted(), skipped: shortened(skipped.filter((it) => seenFrom(target, it.path))) }
}

/** Whether a path is in the folder that is worked on. */
export function isInTarget(checkout: Checkout, path: string): boolean {
  const target = targetOf(checkout)
  return target === '.' || path.startsWith(`${target}/`)
}

async function listing(checkout: Checkout, skipped: Skipped[]): Promise<ListedFile[]> {
  const byGit = await gitFiles(checkout.path)
  // None at all: an ignored folder of a repository further up, which git has nothing to say about.
  return byGit !== null && byGit.length > 0 ? byGit : walkFiles(checkout.path, skipped)
}

function targetOf(checkout: Checkout): string {
  const target = posix.normalize(checkout.targetDir || '.').replace(/\/$/, '')
  if (posix.isAbsolute(target) || target === '..' || target.startsWith('../'))
    throw new ReeveError('path_refused', { path: checkout.targetDir, problem: 'the folder to work in must lie in the repository' })
  return target
}

function seenFrom(target: string, path: string): boolean {
  if (target === '.' || path.startsWith(`${target}/`)) return true
  const folder = posix.dirname(path)
  return folder === '.' || target.startsWith(`${folder}/`)
}

function withoutFolders(listed: readonly ListedFile[], skipped: Skipped[]): ListedFile[] {
  const foreign = foreignFolders(listed)
  const counts = new Map<string, number>()
  const own = listed.filter((it) => {
    const folder = foldersOf(it.path).find((folder) => foreign.has(folder))
    if (folder !== undefined) counts.set(folder, (counts.get(folder) ?? 0) + 1)
    return folder === undefined
  })
  for (const [folder, count] of counts)
    skipped.push({ path: `${folder}/`, reason: `${foreign.get(folder)} (${count} ${count === 1 ? 'file' : 'files'})` })
  return own
}

/** `root` is a real path. A tracked folder that has become a symbolic link since leads elsewhere, perhaps out of the checkout: nothing below it is read. */
async function withoutLinkedFolders(root: string, listed: readonly ListedFile[], skipped: Skipped[]): Promise<ListedFile[]> {
  const folders = [...new Set(listed.map((it) => posix.dirname(it.path)))].filter((it) => it !== '.')
  const linked = new Set<string>()
  for (const folder of folders) {
    const real = await realpath(join(root, folder)).catch(() => undefined)
    if (real !== undefined && real !== join(root, folder)) linked.add(folder)
  }
  for (const folder of linked) skipped.push({ path: `${folder}/`, reason: 'behind a symbolic link' })
  return linked.size === 0 ? [...listed] : listed.filter((it) => !linked.has(posix.dirname(it.path)))
}

/** Folder -> why it is not the project's own. */
function foreignFolders(listed: readonly ListedFile[]): Map<string, string> {
  const foreign = new Map<string, string>()
  const seen = new Map<string, boolean>()
  const manifests = new Set(listed.filter((it) => MANIFESTS.has(posix.basename(it.path))).map((it) => posix.dirname(it.path)))
  for (const { path, tracked } of listed) {
    const made = MADE_BY.get(posix.basename(path))
    if (made !== undefined && path.includes('/')) foreign.set(posix.dirname(path), made)
    for (const folder of foldersOf(path)) seen.set(folder, (seen.get(folder) ?? false) || tracked)
  }
  for (const [folder, tracked] of seen) {
    const name = posix.basename(folder).toLowerCase()
    const reason = FOREIGN_FOLDERS.get(name)
    if (reason !== undefined) foreign.set(folder, reason)
    else if (!tracked && OUTPUT_FOLDERS.has(name) && manifests.has(posix.dirname(folder))) foreign.set(folder, 'build output')
  }
  return foreign
}

/** `a/b/c.ts` -> `a`, `a/b`: the outermost first. */
function foldersOf(path: string): string[] {
  const folders: string[] = []
  for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) folders.push(path.slice(0, at))
  return folders
}

async function textFiles(root: string, listed: readonly ListedFile[], skipped: Skipped[]): Promise<string[]> {
  const kept: string[] = []
  for (let at = 0; at < listed.length; at += AT_ONCE) {
    const batch = listed.slice(at, at + AT_ONCE)
    const reasons = await Promise.all(batch.map((it) => whyNot(root, it.path)))
    for (const [index, { path }] of batch.entries()) {
      const reason = reasons[index]
      if (reason === null) kept.push(path)
      else if (reason !== undefined) skipped.push({ path, reason })
    }
  }
  return kept
}

/** null: a text file to keep; undefined: not there any more (deleted, not yet committed); else why it is left out. */
async function whyNot(root: string, path: string): Promise<string | null | undefined> {
  if (path.endsWith('/')) return 'a repository of its own'
  const file = join(root, path)
  const stat = await lstat(file).catch(() => undefined)
  if (!stat) return path.includes('\uFFFD') ? 'its name is not UTF-8' : undefined
  if (stat.isFile() && LOCKFILES.has(posix.basename(path))) return null
  return byStat(stat, path) ?? (languageOf(path) ? null : await sniffed(file))
}

function byStat(stat: Stats, path: string): string | undefined {
  if (stat.isSymbolicLink()) return 'a symbolic link'
  if (stat.isDirectory()) return 'a submodule'
  if (!stat.isFile()) return 'no plain file'
  if (stat.size > LARGEST_FILE) return `larger than 1 MB (${(stat.size / 1024 / 1024).toFixed(1)} MB)`
  if (BINARY_EXTENSIONS.has(extensionOf(path))) return 'binary'
  return /\.min\.(?:js|css)$|\.map$/.test(path) ? 'minified or a source map' : undefined
}

async function sniffed(file: string): Promise<string | null> {
  const handle = await open(file, 'r').catch(() => undefined)
  if (!handle) return 'it could not be opened'
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(SNIFFED), 0, SNIFFED, 0)
    return buffer.subarray(0, bytesRead).includes(0) ? 'binary' : null
  } catch {
    return 'it could not be read'
  } finally {
    await handle.close()
  }
}

function shortened(skipped: readonly Skipped[]): Skipped[] {
  const sorted = skipped.toSorted((a, b) => (a.path < b.path ? -1 : 1))
  if (sorted.length <= SHOWN_SKIPPED) return sorted
  const rest = sorted.length - SHOWN_SKIPPED
  return [...sorted.slice(0, SHOWN_SKIPPED), { path: '…', reason: `${rest} more were left out for the same reasons` }]
}
