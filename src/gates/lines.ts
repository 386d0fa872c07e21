import { diffArrays } from 'diff'

export interface LineComparison {
  /** Lines (from 1) of the new text that the old text does not have, in order. */
  changed: number[]
  /** Line of the new text -> the same line of the old text. */
  before: ReadonlyMap<number, number>
}

// A rewrite of a large file: beyond this an exact comparison costs seconds and says no more than "everything changed".
const MAX_MS = 2000

export function splitLines(text: string): string[] {
  const lines = text.split(/\r\n|\n|\r/)
  if (lines.at(-1) === '') lines.pop()
  return lines
}

/** Compares two texts line by line. Line ends do not count. */
export function compareLines(before: string | null, after: string): LineComparison {
  const now = splitLines(after)
  const all = now.map((_, at) => at + 1)
  if (before === null) return { changed: all, before: new Map() }
  const parts = diffArrays(splitLines(before), now, { timeout: MAX_MS })
  if (!parts) return { changed: all, before: new Map() }

  const changed: number[] = []
  const same = new Map<number, number>()
  let oldLine = 1
  let newLine = 1
  for (const part of parts) {
    const size = part.value.length
    if (part.added) for (let at = 0; at < size; at++) changed.push(newLine + at)
    if (!part.added && !part.removed) for (let at = 0; at < size; at++) same.set(newLine + at, oldLine + at)
    if (!part.added) oldLine += size
    if (!part.removed) newLine += size
  }
  return { changed, before: same }
}

/** Lines that one text has and the other has not. */
export function lineChanges(before: string | null, after: string | null): { added: string[]; removed: string[] } {
  const parts = diffArrays(splitLines(before ?? ''), splitLines(after ?? ''), { timeout: MAX_MS })
  if (!parts) return { added: splitLines(after ?? ''), removed: splitLines(before ?? '') }
  return {
    added: parts.filter((it) => it.added).flatMap((it) => it.value),
    removed: parts.filter((it) => it.removed).flatMap((it) => it.value),
  }
}

/** How alike two texts are: the share of lines they have in common, 0 to 1. */
export function likeness(a: string, b: string): number {
  const left = splitLines(a)
    .map((it) => it.trim())
    .filter(Boolean)
  const right = splitLines(b)
    .map((it) => it.trim())
    .filter(Boolean)
  if (left.length === 0 || right.length === 0) return left.length === right.length ? 1 : 0
  const counts = new Map<string, number>()
  for (const line of left) counts.set(line, (counts.get(line) ?? 0) + 1)
  let common = 0
  for (const line of right) {
    const count = counts.get(line) ?? 0
    if (count === 0) continue
    counts.set(line, count - 1)
    common += 1
  }
  return (2 * common) / (left.length + right.length)
}
