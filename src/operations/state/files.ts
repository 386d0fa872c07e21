import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, mkdir, open, readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** A file of a backup, with its path from the backup's folder. */
export interface KeptFile {
  path: string
  bytes: number
  sha256: string
}

const CHUNK = 1024 * 1024
// No link is followed, no pipe waited for.
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** Reads a plain file, in pieces, and what it comes to. Null: there is none of that name, or it is no plain file. */
async function readPieces(path: string, take: (piece: Uint8Array) => Promise<void>): Promise<{ bytes: number; sha256: string } | null> {
  const file = await open(path, READ).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ELOOP' || error.code === 'ENXIO' || error.code === 'ENOTDIR') return null
    throw error
  })
  if (file === null) return null
  try {
    if (!(await file.stat()).isFile()) return null
    const hash = createHash('sha256')
    const piece = Buffer.allocUnsafe(CHUNK)
    let bytes = 0
    for (;;) {
      const { bytesRead } = await file.read(piece, 0, CHUNK, null)
      if (bytesRead === 0) return { bytes, sha256: hash.digest('hex') }
      const read = piece.subarray(0, bytesRead)
      hash.update(read)
      await take(read)
      bytes += bytesRead
    }
  } finally {
    await file.close()
  }
}

/** Size and hash of a plain file. */
export function hashFile(path: string): Promise<{ bytes: number; sha256: string } | null> {
  return readPieces(path, async () => undefined)
}

/** Copies a plain file to a place where nothing is yet, for its owner alone, onto the disk. What is copied is what is hashed. */
export async function copyFileTo(from: string, to: string): Promise<{ bytes: number; sha256: string } | null> {
  let made: FileHandle | null = null
  try {
    const result = await readPieces(from, async (piece) => {
      made ??= await create(to)
      await made.writeFile(piece)
    })
    // An empty file has no pieces.
    if (result !== null) made ??= await create(to)
    await made?.datasync()
    return result
  } finally {
    await made?.close()
  }
}

async function create(path: string): Promise<FileHandle> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  return open(path, 'wx', 0o600)
}

/** Paths of the plain files below a folder, from there. Links and what is no file are left out; so is what `leaveOut` says. */
export async function filesBelow(folder: string, leaveOut: (path: string) => boolean = () => false): Promise<string[]> {
  const found: string[] = []
  const look = async (below: string): Promise<void> => {
    const entries = await readdir(join(folder, below), { withFileTypes: true }).catch(() => [])
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = below === '' ? entry.name : `${below}/${entry.name}`
      if (leaveOut(path)) continue
      if (entry.isDirectory()) await look(path)
      else if (entry.isFile()) found.push(path)
    }
  }
  await look('')
  return found
}
