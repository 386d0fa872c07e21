import { posix } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import type { FileSymbol, Outline } from '../symbols/outline.ts'
import { isTestFile } from '../test-layout.ts'
import { stemsOf, type Wish } from './choose.ts'
import { matchOf, pathMatch } from './words.ts'

export interface MappedFile {
  path: string
  outline: Outline
}

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

interface Edge {
  from: number
  to: number
  name: string
  weight: number
}

// A name that more files define (`run`, `toString`) says nothing about which one is meant.
const MOST_DEFINERS = 20
const DAMPING = 0.85
const ROUNDS = 30
// Files between two turns of the event loop: about 5 ms of work.
const PER_TURN = 100

/**
 * Ranks files and symbols by who refers to whom: a random reader follows references from file to file (PageRank) and begins again at the
 * files in focus and those that answer the query. A symbol gets its share of what flows over its name.
 */
export async function rank(files: readonly MappedFile[], wish: Wish): Promise<Ranking> {
  if (files.length === 0) return { files: new Map(), symbols: [] }
  const edges = await edgesOf(files, wish.words)
  const start = beginnings(files, wish)
  const ranks = await pageRank(files.length, edges, start)
  return { files: new Map(files.map((it, at) => [it.path, ranks[at] ?? 0])), symbols: shares(files, edges, ranks, wish) }
}

async function edgesOf(files: readonly MappedFile[], words: ReadonlySet<string>): Promise<Edge[]> {
  const definers = definersOf(files)
  const spread = spreadOf(files)
  const edges: Edge[] = []
  for (const [from, { path, outline }] of files.entries()) {
    if (from % PER_TURN === 0) await turn()
    // Tests refer to everything; what production code refers to matters more.
    const voice = isTestFile(path) ? 0.3 : 1
    const imports = new Set(outline.imports)
    for (const [name, count] of outline.names) {
      const targets = definers.get(name)
      if (!targets || targets.length > MOST_DEFINERS || targets.includes(from)) continue
      const rare = 1 - Math.log(spread.get(name) ?? 1) / Math.log(files.length + 1)
      const weight = (voice * rare * Math.sqrt(count) * weightOf(name, words)) / targets.length
      for (const to of targets) edges.push({ from, to, name, weight: weight * reach(path, files[to]?.path ?? '', imports) })
    }
  }
  return edges
}

/** Name -> the files that define it where others can see it. */
function definersOf(files: readonly MappedFile[]): Map<string, number[]> {
  const definers = new Map<string, number[]>()
  for (const [at, { path, outline }] of files.entries()) {
    const exporting = outline.symbols.some((it) => it.signature.startsWith('export ')) || isEntry(path, outline)
    const visible = outline.symbols.filter((it) => !hidden(it, exporting))
    for (const name of new Set(visible.map((it) => plain(it.name)))) definers.set(name, [...(definers.get(name) ?? []), at])
  }
  return definers
}

/** A module of JavaScript that imports and exports nothing: a script, seen by nobody. */
function isEntry(path: string, { imports, names }: Outline): boolean {
  return /\.[cm]?[jt]sx?$/.test(path) && imports.length > 0 && !names.some(([it]) => it === 'exports')
}

/** Not to be seen from other files: in a module that exports, what it does not export; private and static things. */
function hidden(symbol: FileSymbol, exporting: boolean): boolean {
  const { kind, signature } = symbol
  if (/^(?:private|static inline|static) /.test(signature) && kind === 'function') return true
  return exporting && kind !== 'method' && !/^(?:export|declare) /.test(signature)
}

/** Name -> in how many files it stands. */
function spreadOf(files: readonly MappedFile[]): Map<string, number> {
  const spread = new Map<string, number>()
  for (const { outline } of files) for (const [name] of outline.names) spread.set(name, (spread.get(name) ?? 0) + 1)
  return spread
}

/** A reference to a file that is imported, or lies beside, is one; to any other it is probably the same word by chance. */
function reach(from: string, to: string, imports: ReadonlySet<string>): number {
  const [name, folder] = stemsOf(to)
  const scale = isTestFile(to) ? 0.3 : 1
  if (imports.has(name)) return scale
  if (folder !== '' && imports.has(folder)) return 0.7 * scale
  return scale * (posix.dirname(from) === posix.dirname(to) ? 0.2 : 0.05)
}

/** Distinctive names count for more, private ones and ordinary words for less, what the task speaks of for most. */
function weightOf(name: string, words: ReadonlySet<string>): number {
  const joined = /\p{Ll}\p{Lu}|\p{L}_\p{L}/u.test(name)
  const distinctive = joined && name.length >= 8 ? 4 : 1
  const ordinary = !joined && /^\p{Ll}+$/u.test(name) ? 0.4 : 1
  const inner = name.startsWith('_') ? 0.2 : 1
  return distinctive * ordinary * inner * (1 + 5 * matchOf(name, words))
}

/** Where the random reader begins: everywhere a little, in focus and at answers to the query mostly. Adds up to 1. */
function beginnings(files: readonly MappedFile[], { focus, words }: Wish): number[] {
  const weights = files.map(({ path, outline }) => {
    const named = words.size === 0 ? 0 : Math.max(0, ...outline.symbols.map((it) => matchOf(plain(it.name), words)))
    return 1 / files.length + (focus.has(path) ? 10 : 0) + pathMatch(path, words) + named
  })
  const sum = weights.reduce((all, it) => all + it, 0)
  return weights.map((it) => it / sum)
}

async function pageRank(count: number, edges: readonly Edge[], start: readonly number[]): Promise<number[]> {
  const out = outWeights(count, edges)
  let ranks = [...start]
  for (let round = 0; round < ROUNDS; round++) {
    await turn()
    const next = Array.from({ length: count }, () => 0)
    for (const { from, to, weight } of edges) next[to] = (next[to] ?? 0) + ((ranks[from] ?? 0) * weight) / (out[from] ?? 1)
    // Files that refer to nothing pass their rank to the beginnings.
    const lost = ranks.reduce((all, it, at) => all + ((out[at] ?? 0) === 0 ? it : 0), 0)
    ranks = next.map((it, at) => (1 - DAMPING) * (start[at] ?? 0) + DAMPING * (it + lost * (start[at] ?? 0)))
  }
  return ranks
}

function outWeights(count: number, edges: readonly Edge[]): number[] {
  const out = Array.from({ length: count }, () => 0)
  for (const { from, weight } of edges) out[from] = (out[from] ?? 0) + weight
  return out
}

function shares(files: readonly MappedFile[], edges: readonly Edge[], ranks: readonly number[], wish: Wish): RankedSymbol[] {
  const out = outWeights(files.length, edges)
  const flow = new Map<string, number>()
  for (const { from, to, name, weight } of edges) {
    const key = `${to} ${name}`
    flow.set(key, (flow.get(key) ?? 0) + ((ranks[from] ?? 0) * weight) / (out[from] ?? 1))
  }
  const asked = wished(files, wish)
  const all = files.flatMap(({ path, outline }, at) => {
    const times = new Map<string, number>()
    return outline.symbols.map((symbol) => {
      const name = plain(symbol.name)
      const before = times.get(name) ?? 0
      times.set(name, before + 1)
      // Without any reference a symbol still has a little of its file's rank: the file's order decides then.
      const own = (0.02 * (ranks[at] ?? 0)) / Math.sqrt(outline.symbols.length)
      const score = (flow.get(`${at} ${name}`) ?? 0) + own + (asked.get(symbol) ?? 0)
      // The second overload says less than the first, the eighth nothing.
      return { file: path, symbol, score: score * OVERLOAD ** before }
    })
  })
  return all.toSorted((a, b) => b.score - a.score || compare(a.file, b.file) || a.symbol.line - b.symbol.line)
}

const OVERLOAD = 0.3

// Together as much as all references give: what was asked for comes first, what it hangs on next.
const FOR_QUERY = 1
// Thousands of symbols share one word with a long task text: they must not drown the few that share three.
const SHARPNESS = 4
const FOR_FOCUS = 0.4

/** What symbols get because the query names them or they are in focus, however many there are. */
function wished(files: readonly MappedFile[], { focus, words }: Wish): Map<FileSymbol, number> {
  const inFocus = files.filter((it) => focus.has(it.path)).flatMap((it) => it.outline.symbols)
  const shares = new Map(inFocus.map((it) => [it, FOR_FOCUS / inFocus.length]))
  if (words.size === 0) return shares
  const named = files.flatMap(({ path, outline }) => {
    const place = pathMatch(path, words) * (isTestFile(path) ? 0.3 : 1)
    return outline.symbols.map((symbol) => ({ symbol, fit: (2 * matchOf(plain(symbol.name), words) + place) ** SHARPNESS }))
  })
  const sum = named.reduce((all, it) => all + it.fit, 0)
  for (const { symbol, fit } of named) if (fit > 0) shares.set(symbol, (shares.get(symbol) ?? 0) + (FOR_QUERY * fit) / sum)
  return shares
}

/** As other files write it: `Shop.Cart` is used as `Cart`, `empty?` as `empty`, `~Stack` as `Stack`. */
function plain(name: string): string {
  const last = name.split(/\.|::/).at(-1) ?? name
  return last.replaceAll(/^[~#]|[?!=]$/g, '')
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
