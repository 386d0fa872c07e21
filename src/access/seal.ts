import { createHash, createHmac, randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { link, open, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { problemOf, ReeveError } from '../core/errors.ts'
import type { Sealer } from '../store/audit.ts'

/** Seals of the audit record: HMAC-SHA256 over the seal before and the line. */
export function createSealer(key: string): Sealer {
  const hmac = (parts: readonly (string | number)[]) => createHmac('sha256', key).update(JSON.stringify(parts)).digest('base64url')
  return {
    keyId: createHash('sha256').update(`id of ${key}`).digest('base64url').slice(0, 8),
    line: (before, it) => hmac(['line', before, it.seq, it.ts, it.actor, it.action, it.target, it.via, it.result]),
    head: (seq, seal) => hmac(['head', seq, seal]),
  }
}

const FORM = /^[\w-]{43}$/

export function auditKeyFile(folder: string): string {
  return join(folder, 'audit.key')
}

/**
 * The key of the seals, made where there is none. It lies beside the store and not in it: whoever can only change the store, or a copy of it,
 * cannot make seals. Throws `environment` for one that others can read, or that is none.
 */
export async function auditKey(folder: string): Promise<string> {
  const path = auditKeyFile(folder)
  return (await readKey(path)) ?? (await makeKey(path))
}

/** Null: there is none. */
export async function readKey(path: string): Promise<string | null> {
  const unusable = (problem: string) => new ReeveError('environment', { problem: `The key of the audit record, "${path}", ${problem}.` })
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw unusable(`cannot be read: ${problemOf(error)}`)
  })
  if (file === null) return null
  try {
    const { mode } = await file.stat()
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) throw unusable('can be read by others')
    const text = (await file.readFile('utf8')).trim()
    if (!FORM.test(text)) throw unusable('is not one of ours')
    return text
  } finally {
    await file.close()
  }
}

/** Whole or not at all, and only once however many processes begin at the same time. */
async function makeKey(path: string): Promise<string> {
  const made = `${path}.${randomBytes(6).toString('hex')}`
  await writeFile(made, `${randomBytes(32).toString('base64url')}\n`, { flag: 'wx', mode: 0o600 })
  try {
    await link(made, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    await rm(made, { force: true })
  }
  const key = await readKey(path)
  if (key === null) throw new ReeveError('environment', { problem: `The key of the audit record, "${path}", was taken away` })
  return key
}
