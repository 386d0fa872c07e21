import type { Dirent } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import ignore, { type Ignore } from 'ignore'
import { FOREIGN_FOLDERS } from './folder-table.ts'
import type { ListedFile } from './git-files.ts'
import type { Skipped } from './port.ts'

// A folder that is no repository may be a home folder: the walk must end.
const MAX_FILES = 100_000
const MAX_DEPTH = 40

interface Rules {
  /** Folder of the `.gitignore`, '' for the root. */
  folder: string
  rules: Ignore
}

/** Lists files without git: `.gitignore` files are obeyed, symbolic links are not followed. What was not walked is pushed to `skipped`. */
export async function walkFiles(root: string, skipped: Skipped[]): Promise<ListedFile[]> {
  const found: ListedFile[] = []
  const open: { folder: string; depth: number; above: readonly Rules[] }[] = [{ folder: '', depth: 0, above: [] }]
  for (let next = open.pop(); next; next = open.pop()) {
    const { folder, depth, above } = next
    const entries = await entriesOf(root, folder, skipped)
    const all = [...above, ...(await rulesOf(root, folder, entries))]
    for (const entry of entries.filter((it) => it.name !== '.git')) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (ignored(entry.isDirectory() ? `${path}/` : path, all)) continue
      if (!entry.isDirectory()) {
        found.push({ path, tracked: false })
        continue
      }
      const foreign = FOREIGN_FOLDERS.get(entry.name.toLowerCase())
      if (foreign !== undefined) skipped.push({ path: `${path}/`, reason: foreign })
      else if (depth >= MAX_DEPTH) skipped.push({ path: `${path}/`, reason: `more than ${MAX_DEPTH} folders deep` })
      else open.push({ folder: path, depth: depth + 1, above: all })
    }
    if (found.length > MAX_FILES) {
      skipped.push({ path: `${folder || '.'}/`, reason: `more than ${MAX_FILES} files and no git repository: the rest was not read` })
      break
    }
  }
  return found
}

async function entriesOf(root: string, folder: string, skipped: Skipped[]): Promise<Dirent[]> {
  try {
    return await readdir(join(root, folder), { withFileTypes: true })
  } catch {
    skipped.push({ path: `${folder || '.'}/`, reason: 'the folder could not be read' })
    return []
  }
}

async function rulesOf(root: string, folder: string, entries: readonly Dirent[]): Promise<Rules[]> {
  if (!entries.some((it) => it.name === '.gitignore' && it.isFile())) return []
  const text = await readFile(join(root, folder, '.gitignore'), 'utf8').catch(() => '')
  return [{ folder, rules: ignore().add(text) }]
}

/** The innermost `.gitignore` that says something decides, as in git. */
function ignored(path: string, rules: readonly Rules[]): boolean {
  for (const it of rules.toReversed()) {
    const said = it.rules.test(it.folder === '' ? path : path.slice(it.folder.length + 1))
    if (said.ignored) return true
    if (said.unignored) return false
  }
  return false
}
