import type { FileChange } from '../workspace/port.ts'
import type { Bench } from './bench.ts'
import { compareLines, type LineComparison, likeness } from './lines.ts'

/** Where things of the change were on the base: files that moved, lines that drifted. */
export interface Places {
  /** New path -> old path, for files that were moved. */
  moved: ReadonlyMap<string, string>
  /** The line on the base that a line of the change was, null when it is new. */
  lineAtBase(path: string, line: number): Promise<number | null>
  comparison(path: string): Promise<LineComparison | null>
}

// Half of the lines in common: below that people would call it another file.
const ALIKE = 0.5
// Comparing each new file with each removed one; beyond this a change is a reorganisation and names alone decide.
const MAX_PAIRS = 400

export async function openPlaces(bench: Bench): Promise<Places> {
  const changes = bench.request.comparison?.changes ?? []
  const moved = await findMoved(bench, changes)
  const changedPaths = new Map(changes.map((it) => [it.path, it]))
  const kept = new Map<string, Promise<LineComparison | null>>()

  const comparison = (path: string): Promise<LineComparison | null> => {
    const known = kept.get(path) ?? compare(bench, path, moved.get(path) ?? path)
    kept.set(path, known)
    return known
  }
  return {
    moved,
    comparison,
    async lineAtBase(path, line) {
      if (!changedPaths.has(path)) return line
      return (await comparison(path))?.before.get(line) ?? null
    },
  }
}

async function compare(bench: Bench, path: string, oldPath: string): Promise<LineComparison | null> {
  const after = await bench.here(path)
  return after === null ? null : compareLines(await bench.atBase(oldPath), after)
}

async function findMoved(bench: Bench, changes: readonly FileChange[]): Promise<Map<string, string>> {
  const added = changes.filter((it) => it.status === 'added' && !it.opaque)
  const gone = new Set(changes.filter((it) => it.status === 'deleted' && !it.opaque).map((it) => it.path))
  const moved = new Map<string, string>()
  const deep = added.length * gone.size <= MAX_PAIRS
  for (const { path } of added) {
    const candidates = [...gone].filter((it) => deep || nameOf(it) === nameOf(path))
    const scored = await Promise.all(candidates.map(async (old) => ({ old, score: await score(bench, old, path) })))
    const best = scored.toSorted((a, b) => b.score - a.score)[0]
    if (!best || best.score < ALIKE) continue
    moved.set(path, best.old)
    gone.delete(best.old)
  }
  return moved
}

async function score(bench: Bench, oldPath: string, path: string): Promise<number> {
  const [before, after] = [await bench.atBase(oldPath), await bench.here(path)]
  return before === null || after === null ? 0 : likeness(before, after)
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
