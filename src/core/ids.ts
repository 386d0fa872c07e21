import { randomBytes } from 'node:crypto'

export type RunId = string
export type TaskId = string

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz' // Crockford's: no i, l, o, u, so an id can be read aloud

function encode(value: number, length: number): string {
  let rest = value
  let text = ''
  for (let at = 0; at < length; at++) {
    text = ALPHABET[rest % 32] + text
    rest = Math.floor(rest / 32)
  }
  return text
}

/** A new run id such as `r0k3hx2m9a1bcd`: sorts by time (9 characters of milliseconds), then 4 random characters. Safe in paths and refs. */
export function newRunId(now: number): RunId {
  const random = [...randomBytes(4)].map((byte) => ALPHABET[byte % 32]).join('')
  return `r${encode(now, 9)}${random}`
}

/** Ids of runs that are made together, in the order in which they will be listed. */
export function newRunIds(now: number, count: number): RunId[] {
  const ids = new Set<RunId>()
  while (ids.size < count) ids.add(newRunId(now))
  return [...ids].toSorted()
}

/** A task id made from a title: lower case words joined by `-`, at most 40 characters, safe in branch names. */
export function taskIdFrom(title: string): TaskId {
  const words = title
    .normalize('NFKD')
    .replaceAll(/[\u0300-\u036F]/g, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
  return words.slice(0, 40).replace(/-+$/, '') || 'task'
}
