import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { ReeveError } from '../core/errors.ts'
import { readPrivate, writePrivate } from './private-files.ts'

// 256 bits, as text.
const TOKEN = /^[\w-]{43}$/

export function tokenFile(folder: string): string {
  return join(folder, 'token')
}

/**
 * What a caller of this user shows to the daemon. It stays the same for a data folder, so that programs may keep it; whoever removes the file
 * gets another one with the next daemon. Called by the holder of the lock only.
 */
export async function tokenOf(folder: string): Promise<string> {
  const path = tokenFile(folder)
  const kept = (await readPrivate(path))?.trim()
  if (kept === undefined) {
    const made = randomBytes(32).toString('base64url')
    await writePrivate(path, `${made}\n`)
    return made
  }
  if (TOKEN.test(kept)) return kept
  throw new ReeveError('environment', { problem: `"${path}" does not hold a token of reeve. Remove it, and a new one is made.` })
}
