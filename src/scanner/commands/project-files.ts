import { lstat, readFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { type Json, parseJson } from '../../core/json.ts'
import type { Checkout } from '../../workspace/port.ts'

/** Manifests are small; a larger file is not one. */
const LARGEST_MANIFEST = 2 * 1024 * 1024
/** Folders whose manifests belong to somebody else. */
const FOREIGN = /(?:^|\/)(?:node_modules|vendor|third_party|examples?|fixtures|testdata|templates|build|dist|target|\.[^/]+)\//

/** Files that say "a project begins here". Makefiles are not among them: many parts of one project have their own. */
const MANIFESTS = [
  'package.json pyproject.toml setup.py setup.cfg CMakeLists.txt go.mod Cargo.toml pom.xml build.gradle',
  'build.gradle.kts mix.exs Gemfile',
].flatMap((it) => it.split(' '))

/** What the detectors may ask about a checkout. Paths are from its root with "/". */
export interface ProjectFiles {
  /** Its files, without those in folders that belong to somebody else (vendored code, fixtures, examples, builds). */
  all: readonly string[]
  targetDir: string
  has(path: string): boolean
  /** Text of a file; '' when it is absent, no plain file, or too large. */
  text(path: string): Promise<string>
  /** A JSON object; {} when it is absent or broken. */
  object(path: string): Promise<{ [key: string]: Json }>
  /** The folders that hold one of these manifests: the target's own, else the nearest above, else the shallowest below (two levels at most). */
  foldersWith(names: readonly string[]): string[]
  /** The nearest folder with one of these, from the target upwards: none or one. */
  nearest(names: readonly string[]): string[]
}

/** A path below a folder; "." is the root. */
export function under(folder: string, name: string): string {
  return folder === '.' ? name : `${folder}/${name}`
}

function isBelow(path: string, folder: string): boolean {
  return folder === '.' || path === folder || path.startsWith(`${folder}/`)
}

function ancestors(folder: string): string[] {
  if (folder === '.') return ['.']
  return [folder, ...ancestors(posix.dirname(folder))]
}

/** A target that lies in such a folder itself (`examples/demo`) is the project's own. */
function isForeign(path: string, targetDir: string): boolean {
  const inside = targetDir !== '.' && path.startsWith(`${targetDir}/`)
  return FOREIGN.test(inside ? path.slice(targetDir.length + 1) : path)
}

async function readText(root: string, path: string): Promise<string> {
  try {
    const stat = await lstat(join(root, path))
    if (!stat.isFile() || stat.size > LARGEST_MANIFEST) return ''
    return await readFile(join(root, path), 'utf8')
  } catch {
    return ''
  }
}

export function projectFiles(checkout: Checkout, files: readonly string[]): ProjectFiles {
  const known = new Set(files)
  const targetDir = posix.normalize(checkout.targetDir).replace(/\/$/, '') || '.'
  const text = (path: string) => (known.has(path) ? readText(checkout.path, path) : Promise.resolve(''))

  // The folder that is worked on belongs to the nearest manifest of any kind, so that a part of a monorepo is not judged by its neighbours.
  const home = ancestors(targetDir).find((folder) => MANIFESTS.some((name) => known.has(under(folder, name))))

  const foldersWith = (names: readonly string[]): string[] => {
    if (home !== undefined && names.some((name) => known.has(under(home, name)))) return [home]
    if (home !== undefined && targetDir !== '.') return []
    const below = new Set(
      files
        .filter((path) => names.includes(posix.basename(path)) && isBelow(path, targetDir) && !isForeign(path, targetDir))
        .map((path) => posix.dirname(path)),
    )
    const depth = (folder: string) => folder.split('/').length - (targetDir === '.' ? 0 : targetDir.split('/').length)
    const near = [...below].filter((folder) => depth(folder) <= 2).toSorted((a, b) => depth(a) - depth(b) || (a < b ? -1 : 1))
    // A folder below one that was taken already belongs to it; more than four parts need `target_dir`.
    return near.filter((folder, at) => !near.slice(0, at).some((other) => isBelow(folder, other))).slice(0, 4)
  }

  return {
    all: files.filter((path) => !isForeign(path, targetDir)),
    targetDir,
    has: (path) => known.has(path),
    text,
    async object(path) {
      const source = await text(path)
      if (source === '') return {}
      try {
        const value = parseJson(source, path)
        return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : {}
      } catch {
        return {}
      }
    },
    foldersWith,
    nearest: (names) =>
      ancestors(targetDir)
        .filter((folder) => names.some((name) => known.has(under(folder, name))))
        .slice(0, 1),
  }
}

/** A member of a JSON value as an object; {} when it is none. */
export function member(value: Json | undefined, name: string): { [key: string]: Json } {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return {}
  const found = value[name]
  return found !== null && typeof found === 'object' && !Array.isArray(found) ? found : {}
}
