import { problemOf, ReeveError } from '../core/errors.ts'

// SQLite: busy, read-only, input or output failed, damaged, full, cannot be opened, no database.
const STORE = [5, 8, 10, 11, 13, 14, 26]
const FILES = ['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM', 'EMFILE', 'ENFILE', 'EIO']

/** What the machine did not let us do, a full disk for instance, is told as that, and not as a defect of reeve's. All else stays as it is. */
export function machineTrouble(error: unknown): unknown {
  if (error instanceof ReeveError || !(error instanceof Error)) return error
  const { errcode, code } = error as Error & { errcode?: unknown; code?: unknown }
  // The lower byte: the rest of an extended code says where it happened.
  if (typeof errcode === 'number' && STORE.includes(errcode & 0xff)) return told('The store cannot be used', error)
  return typeof code === 'string' && FILES.includes(code) ? told('The machine refused it', error) : error
}

function told(what: string, error: Error): ReeveError {
  return new ReeveError('environment', { problem: `${what}: ${problemOf(error)}.` }, { cause: error })
}
