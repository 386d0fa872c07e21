import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rename, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { canonicalJson, parseJson } from '../core/json.ts'
import { copyTree, relocatePython } from './copy-tree.ts'
import { isBehindLink, removeFolder } from './folders.ts'
import type { TreeEntry } from './revisions.ts'

/** Files that decide what an install brings. */
const LOCKFILES = new Set(
  [
    'package-lock.json npm-shrinkwrap.json pnpm-lock.yaml yarn.lock bun.lock bun.lockb package.json .npmrc .yarnrc.yml poetry.lock uv.lock',
    'Pipfile.lock pdm.lock pyproject.toml setup.py setup.cfg .python-version .nvmrc composer.lock Gemfile.lock mix.lock Podfile.lock go.sum .tool-versions',
  ].flatMap((line) => line.split(' ')),
)

/** Folders and files that an install makes. Build results (`target`, `dist`) are not among them: they depend on the sources. */
const DEPENDENCY = /^(?:node_modules|\.venv|venv|vendor|deps|\.bundle|Pods|\.yarn|\.pnp\.cjs|\.pnp\.loader\.mjs|elm-stuff|.+\.egg-info)$/

// Enough for the branches that a project is worked on at the same time; each entry is a whole install.
const ENTRIES = 8

const EntrySchema = z.object({
  /** The tree it was made in: Python environments name it. */
  madeAt: z.string(),
  paths: z.array(z.string()),
  /** The setup made nothing else, so it need not run again. */
  complete: z.boolean(),
})
export type CacheEntry = z.infer<typeof EntrySchema>

/** Is a path one that installs make? */
export function isDependency(path: string): boolean {
  return DEPENDENCY.test(path.replace(/\/$/, '').split('/').at(-1) ?? '')
}

/** Does this file, by its path, decide what an install brings? */
export function decidesInstall(path: string): boolean {
  return LOCKFILES.has(path.split('/').at(-1) ?? '') || /(?:^|\/)requirements[^/]*\.txt$/.test(path)
}

/** Key of an install: the commands, the lock files and manifests with their content, and the machine's kind. */
export function dependencyKey(entries: readonly TreeEntry[], setup: readonly string[]): string {
  const locks = entries.filter((it) => decidesInstall(it.path)).map((it) => [it.path, it.id])
  const value = { setup, locks, platform: process.platform, arch: process.arch, node: process.versions.modules }
  return createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, 32)
}

/** Puts what is cached under a key into a tree. Returns the entry, null when there is none. */
export async function takeFromCache(cacheDir: string, key: string, tree: string): Promise<CacheEntry | null> {
  const folder = join(cacheDir, key)
  const text = await readFile(join(folder, 'entry.json'), 'utf8').catch(() => null)
  if (text === null) return null
  const entry = EntrySchema.parse(parseJson(text, join(folder, 'entry.json')))
  for (const path of entry.paths) {
    if (await isBehindLink(tree, path)) continue
    await removeFolder(join(tree, path))
    await copyTree(join(folder, 'files', path), join(tree, path))
    await relocatePython(join(tree, path), entry.madeAt, tree)
  }
  const now = new Date()
  await utimes(folder, now, now).catch(() => {})
  return entry
}

/** Keeps copies of these paths of a tree under a key. Whole or not at all; of two at the same time the first stays. */
export async function putIntoCache(
  cacheDir: string,
  key: string,
  tree: string,
  found: Pick<CacheEntry, 'paths' | 'complete'>,
): Promise<void> {
  await mkdir(cacheDir, { recursive: true, mode: 0o700 })
  const half = await mkdtemp(join(cacheDir, '.half-'))
  try {
    for (const path of found.paths) await copyTree(join(tree, path), join(half, 'files', path))
    const entry: CacheEntry = { madeAt: tree, ...found }
    await writeFile(join(half, 'entry.json'), JSON.stringify(entry))
    await rename(half, join(cacheDir, key))
  } catch (error) {
    await removeFolder(half)
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error
  }
  await forgetOld(cacheDir)
}

async function forgetOld(cacheDir: string): Promise<void> {
  const names = (await readdir(cacheDir)).filter((it) => !it.startsWith('.'))
  const dated = await Promise.all(
    names.map(async (name) => ({ name, used: (await stat(join(cacheDir, name)).catch(() => null))?.mtimeMs ?? 0 })),
  )
  const old = dated.toSorted((a, b) => b.used - a.used).slice(ENTRIES)
  for (const { name } of old) await removeFolder(join(cacheDir, name))
}
