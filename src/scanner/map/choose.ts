import { isTestFile } from '../test-layout.ts'
import { stemsOf } from './prepare.ts'
import type { Query } from './words.ts'

export interface Candidate {
  path: string
  /** Words of its import lines. */
  imports: readonly string[]
}

export interface Wish {
  focus: ReadonlySet<string>
  query: Query
}

/**
 * The files worth parsing where there are too many: those in focus, those whose path answers the query, then those whose name others
 * import most. Cheaper than parsing by far. Ties by path, so that the choice is always the same.
 */
export function choose(candidates: readonly Candidate[], wish: Wish, most: number): string[] {
  const imported = importCounts(candidates)
  const scored = candidates.map((it) => ({ it, score: score(it.path, wish, imported) }))
  return scored
    .toSorted((a, b) => b.score - a.score || (a.it.path < b.it.path ? -1 : 1))
    .slice(0, most)
    .map((scored) => scored.it.path)
}

function score(path: string, { focus, query }: Wish, imported: ReadonlyMap<string, number>): number {
  if (focus.has(path)) return Number.POSITIVE_INFINITY
  const [name, folder] = stemsOf(path)
  const uses = (imported.get(name) ?? 0) + 0.2 * (imported.get(folder) ?? 0)
  const popular = Math.log2(1 + uses)
  return 10 * query.path(path) + popular * (isTestFile(path) ? 0.2 : 1)
}

/** Word of an import line -> in how many files it stands. */
function importCounts(candidates: readonly Candidate[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { imports } of candidates) for (const word of imports) counts.set(word, (counts.get(word) ?? 0) + 1)
  return counts
}
