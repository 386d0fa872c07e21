import { setImmediate as turn } from 'node:timers/promises'
import type { FileSymbol } from '../symbols/outline.ts'
import type { Wish } from './choose.ts'
import { eachInTurns, type MappedFile, type Prepared, prepare } from './prepare.ts'
import { type Reference, referencesBetween } from './references.ts'

export interface RankedSymbol {
  file: string
  symbol: FileSymbol
  score: number
}

export interface Ranking {
  /** File -> its rank; they add up to 1. */
  files: Map<string, number>
  /** Best first. */
  symbols: RankedSymbol[]
}

const DAMPING = 0.85
const ROUNDS = 30
// The second overload of a name says less than the first, the eighth nothing.
const OVERLOAD = 0.3
// Together as much as all references give: what was asked for comes first, what it hangs on next.
const FOR_QUERY = 1
const FOR_FOCUS = 0.4
// Thousands of symbols share one word with a long task text: they must not drown the few that share three.
const SHARPNESS = 4

/**
 * Ranks files and symbols by who refers to whom: a random reader follows references from file to file (PageRank) and begins again at the
 * files in focus and those that answer the query. A symbol gets its share of what flows over its name.
 */
export async function rank(mapped: readonly MappedFile[], wish: Wish): Promise<Ranking> {
  if (mapped.length === 0) return { files: new Map(), symbols: [] }
  const files = mapped.map(prepare)
  const references = await referencesBetween(files, wish.query)
  const out = outWeights(files.length, references)
  const ranks = await pageRank(references, out, await beginnings(files, wish))
  return {
    files: new Map(files.map((it, at) => [it.path, ranks[at] ?? 0])),
    symbols: await shares(files, flowOver(references, out, ranks), ranks, wish),
  }
}

/** Where the random reader begins: everywhere a little, in focus and at answers to the query mostly. Adds up to 1. */
async function beginnings(files: readonly Prepared[], { focus, query }: Wish): Promise<number[]> {
  const weights: number[] = []
  await eachInTurns(files, ({ path, symbols }) => {
    const named = symbols.reduce((most, it) => Math.max(most, query.name(it.name)), 0)
    weights.push(1 / files.length + (focus.has(path) ? 10 : 0) + query.path(path) + named)
  })
  const sum = weights.reduce((all, it) => all + it, 0)
  return weights.map((it) => it / sum)
}

async function pageRank(references: readonly Reference[], out: readonly number[], start: readonly number[]): Promise<number[]> {
  let ranks = [...start]
  for (let round = 0; round < ROUNDS; round++) {
    await turn()
    const next = start.map(() => 0)
    for (const { from, to, weight } of references) next[to] = (next[to] ?? 0) + ((ranks[from] ?? 0) * weight) / (out[from] || 1)
    // Files that refer to nothing pass their rank to the beginnings.
    const lost = ranks.reduce((all, it, at) => all + ((out[at] ?? 0) === 0 ? it : 0), 0)
    ranks = next.map((it, at) => (1 - DAMPING) * (start[at] ?? 0) + DAMPING * (it + lost * (start[at] ?? 0)))
  }
  return ranks
}

function outWeights(count: number, references: readonly Reference[]): number[] {
  const out = Array.from({ length: count }, () => 0)
  for (const { from, weight } of references) out[from] = (out[from] ?? 0) + weight
  return out
}

/** File -> name -> what flows to the file over references to that name. */
function flowOver(references: readonly Reference[], out: readonly number[], ranks: readonly number[]): Map<number, Map<string, number>> {
  const flow = new Map<number, Map<string, number>>()
  for (const { from, to, name, weight } of references) {
    const names = flow.get(to) ?? new Map<string, number>()
    names.set(name, (names.get(name) ?? 0) + ((ranks[from] ?? 0) * weight) / (out[from] || 1))
    flow.set(to, names)
  }
  return flow
}

async function shares(
  files: readonly Prepared[],
  flow: ReadonlyMap<number, ReadonlyMap<string, number>>,
  ranks: readonly number[],
  wish: Wish,
): Promise<RankedSymbol[]> {
  const asked = await wished(files, wish)
  const all: RankedSymbol[] = []
  await eachInTurns(files, ({ path, symbols }, at) => {
    const times = new Map<string, number>()
    for (const { symbol, name } of symbols) {
      const before = times.get(name) ?? 0
      times.set(name, before + 1)
      // Without any reference a symbol still has a little of its file's rank: the file's order decides then.
      const own = (0.02 * (ranks[at] ?? 0)) / Math.sqrt(symbols.length)
      const score = (flow.get(at)?.get(name) ?? 0) + own + (asked.get(symbol) ?? 0)
      all.push({ file: path, symbol, score: score * OVERLOAD ** before })
    }
  })
  await turn()
  return all.sort((a, b) => b.score - a.score || compare(a.file, b.file) || a.symbol.line - b.symbol.line)
}

/** What symbols get because the query names them or they are in focus, however many there are. */
async function wished(files: readonly Prepared[], { focus, query }: Wish): Promise<Map<FileSymbol, number>> {
  const inFocus = files.filter((it) => focus.has(it.path)).flatMap((it) => it.symbols)
  const given = new Map(inFocus.map((it) => [it.symbol, FOR_FOCUS / inFocus.length]))
  const named: { symbol: FileSymbol; fit: number }[] = []
  await eachInTurns(files, ({ path, test, symbols }) => {
    const place = query.path(path) * (test ? 0.3 : 1)
    for (const { symbol, name } of symbols) {
      const fit = (2 * query.name(name) + place) ** SHARPNESS
      if (fit > 0) named.push({ symbol, fit })
    }
  })
  const sum = named.reduce((all, it) => all + it.fit, 0)
  for (const { symbol, fit } of named) given.set(symbol, (given.get(symbol) ?? 0) + (FOR_QUERY * fit) / sum)
  return given
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
