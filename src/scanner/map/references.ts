import { eachInTurns, type Prepared } from './prepare.ts'
import type { Query } from './words.ts'

/** A file refers to a name that another file defines. */
export interface Reference {
  from: number
  to: number
  name: string
  weight: number
}

// A name that more files define (`run`, `toString`) says nothing about which one is meant.
const MOST_DEFINERS = 20

/** Every reference between files, weighted by how surely it is one and by how much it says. */
export async function referencesBetween(files: readonly Prepared[], query: Query): Promise<Reference[]> {
  const definers = definersOf(files)
  const spread = spreadOf(files)
  const found: Reference[] = []
  await eachInTurns(files, (file, from) => {
    // Tests refer to everything; what production code refers to matters more.
    const voice = file.test ? 0.3 : 1
    for (const [name, count] of file.names) {
      const targets = definers.get(name)
      if (!targets || targets.length > MOST_DEFINERS || targets.includes(from)) continue
      const rare = 1 - Math.log(spread.get(name) ?? 1) / Math.log(files.length + 1)
      const weight = (voice * rare * Math.sqrt(count) * weightOf(name, query)) / targets.length
      for (const to of targets) found.push({ from, to, name, weight: weight * reach(file, files[to]) })
    }
  })
  return found
}

/** Name -> the files that define it where others can see it. */
function definersOf(files: readonly Prepared[]): Map<string, number[]> {
  const definers = new Map<string, number[]>()
  for (const [at, { symbols }] of files.entries()) {
    for (const { name, visible } of symbols) {
      const known = definers.get(name)
      if (!visible || known?.at(-1) === at) continue
      if (known) known.push(at)
      else definers.set(name, [at])
    }
  }
  return definers
}

/** Name -> in how many files it stands. */
function spreadOf(files: readonly Prepared[]): Map<string, number> {
  const spread = new Map<string, number>()
  for (const { names } of files) for (const [name] of names) spread.set(name, (spread.get(name) ?? 0) + 1)
  return spread
}

/** A reference to a file that is imported, or lies beside, is one; to any other it is probably the same word by chance. */
function reach(from: Prepared, to: Prepared | undefined): number {
  if (!to) return 0
  const [name, folder] = to.stems
  const scale = to.test ? 0.3 : 1
  if (from.imports.has(name)) return scale
  if (folder !== '' && from.imports.has(folder)) return 0.7 * scale
  return scale * (from.folder === to.folder ? 0.2 : 0.05)
}

/** Distinctive names count for more, private ones and ordinary words for less, what the task speaks of for most. */
function weightOf(name: string, query: Query): number {
  const joined = /\p{Ll}\p{Lu}|\p{L}_\p{L}/u.test(name)
  const distinctive = joined && name.length >= 8 ? 4 : 1
  const ordinary = !joined && /^\p{Ll}+$/u.test(name) ? 0.4 : 1
  const inner = name.startsWith('_') ? 0.2 : 1
  return distinctive * ordinary * inner * (1 + 5 * query.name(name))
}
