import { closeSync, constants, type Dirent, lstatSync, openSync, readdirSync } from 'node:fs'

/** What a folder holds: bytes by blocks, files and folders, and how many files have exactly the size that was asked about. */
export interface FolderUsage {
  bytes: number
  entries: number
  ofSize: number
}

/** Longer paths are refused by the system; below one of this length the walk goes on from a descriptor. */
const LONG_PATH = 3000

/** Walks a folder; null when there is none. Blocks: for a worker thread. Links are not followed, files with several names count once. */
export function scanFolder(folder: string, size: number): FolderUsage | null {
  const usage = { bytes: 0, entries: 0, ofSize: 0 }
  return walk(folder, { usage, size, seen: new Set() }) ? usage : null
}

interface Walk {
  usage: FolderUsage
  size: number
  /** Files with several names that have been counted. */
  seen: Set<string>
}

function walk(root: string, it: Walk): boolean {
  const queue = [root]
  for (let folder = queue.pop(); folder !== undefined; folder = queue.pop()) {
    if (folder.length > LONG_PATH) {
      walkFrom(folder, it)
      continue
    }
    const entries = list(folder)
    if (entries === null && folder === root) return false
    for (const entry of entries ?? []) {
      it.usage.entries += 1
      const path = `${folder}/${entry.name}`
      if (entry.isDirectory()) queue.push(path)
      else if (entry.isFile()) count(path, it)
    }
  }
  return true
}

/** So that nothing can be hidden below a path that is too long to name. */
function walkFrom(folder: string, it: Walk): void {
  let fd: number
  try {
    fd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  } catch {
    return // gone meanwhile
  }
  try {
    walk(`/proc/self/fd/${fd}`, it)
  } finally {
    closeSync(fd)
  }
}

function list(folder: string): Dirent[] | null {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch {
    return null // gone meanwhile, or closed to us
  }
}

function count(path: string, { usage, size, seen }: Walk): void {
  try {
    const found = lstatSync(path)
    if (found.nlink > 1) {
      const id = `${found.dev}:${found.ino}`
      if (seen.has(id)) return
      seen.add(id)
    }
    usage.bytes += found.blocks * 512
    if (found.size === size) usage.ofSize += 1
  } catch {
    // gone meanwhile
  }
}
