import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Skipped } from './port.ts'

// More at once make nothing faster, and hold more texts in memory.
const READ_AT_ONCE = 32

export interface Read<T> {
  /** What the work gave for each file that could be read, in the order of the paths. */
  done: T[]
  /** Unreadable files, and binary ones under the name of a source file. */
  skipped: Skipped[]
}

/** Works on the text of each file, some files at a time, so `work` should only look at its own file. A file that has gone meanwhile is skipped. */
export async function eachText<T>(
  root: string,
  paths: readonly string[],
  work: (path: string, text: string) => T | Promise<T>,
): Promise<Read<T>> {
  const done: T[] = []
  const skipped: Skipped[] = []
  for (let at = 0; at < paths.length; at += READ_AT_ONCE) {
    const batch = paths.slice(at, at + READ_AT_ONCE).map(async (path) => {
      const text = await readFile(join(root, path), 'utf8').catch(() => null)
      if (text === null) return { path, reason: 'it could not be read' }
      return text.includes('\0') ? { path, reason: 'binary' } : { result: await work(path, text) }
    })
    for (const it of await Promise.all(batch)) {
      if ('result' in it) done.push(it.result)
      else skipped.push(it)
    }
  }
  return { done, skipped }
}
