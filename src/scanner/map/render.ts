import type { FileSymbol } from '../symbols/outline.ts'
import type { RankedSymbol, Ranking } from './rank.ts'

// Measured over mixed source code: 3.6 characters a token, within 1 %.
const CHARS_PER_TOKEN = 3.6
const MAX_LINE = 160

/**
 * Writes the ranked symbols file by file, the best files first, until the budget is used; then the paths of the other files; then `notes`.
 * Never longer than the budget.
 */
export function render(ranking: Ranking, others: readonly string[], notes: readonly string[], tokens: number): string {
  const budget = Math.floor(tokens * CHARS_PER_TOKEN)
  const depths = depthsOf(ranking, budget)
  const tail = notes.map((it) => `(${it})`).join('\n')
  // Room for the notes and the line that counts what is not shown.
  const room = budget - tail.length - 80
  const chosen = new Map<string, RankedSymbol[]>()
  let used = 0
  let shown = 0
  for (const it of ranking.symbols) {
    const header = chosen.has(it.file) ? 0 : it.file.length + 2
    const cost = header + lineOf(it.symbol, depths).length + 1
    if (used + cost > room) break
    chosen.set(it.file, [...(chosen.get(it.file) ?? []), it])
    used += cost
    shown += 1
  }
  const blocks = [...chosen].map(([file, symbols]) => `${file}:\n${linesOf(symbols, depths)}`)
  const rest = pathsWithin(
    [...filesByRank(ranking), ...others].filter((it) => !chosen.has(it)),
    room - used - 20,
  )
  const counted = missing(ranking.symbols.length - shown, ranking.files.size + others.length - chosen.size - rest.length)
  const parts = [...blocks, ...(rest.length > 0 ? [`Other files:\n${rest.join('\n')}`] : []), ...counted, ...(tail === '' ? [] : [tail])]
  return parts.join('\n').slice(0, budget)
}

function linesOf(symbols: readonly RankedSymbol[], depths: Depths): string {
  return symbols
    .toSorted((a, b) => a.symbol.line - b.symbol.line)
    .map((it) => lineOf(it.symbol, depths))
    .join('\n')
}

type Depths = ReadonlyMap<FileSymbol, number>

function lineOf(symbol: FileSymbol, depths: Depths): string {
  const line = `${'  '.repeat(1 + (depths.get(symbol) ?? 0))}${symbol.line}: ${symbol.signature}`
  return line.length > MAX_LINE ? `${line.slice(0, MAX_LINE - 1)}…` : line
}

// Shorter lines than this hardly exist: symbols beyond are never written.
const MIN_LINE = 8

/** How deep each symbol lies in others of its file, for the files that can be written within the budget. */
function depthsOf({ symbols }: Ranking, budget: number): Depths {
  const near = new Set(symbols.slice(0, Math.ceil(budget / MIN_LINE)).map((it) => it.file))
  const depths = new Map<FileSymbol, number>()
  for (const inFile of Map.groupBy(
    symbols.filter((it) => near.has(it.file)),
    (it) => it.file,
  ).values()) {
    const around: FileSymbol[] = []
    for (const { symbol } of inFile.toSorted((a, b) => a.symbol.line - b.symbol.line || b.symbol.endLine - a.symbol.endLine)) {
      while (around.length > 0 && (around.at(-1)?.endLine ?? 0) < symbol.line) around.pop()
      depths.set(symbol, around.length)
      if (symbol.endLine > symbol.line) around.push(symbol)
    }
  }
  return depths
}

function filesByRank(ranking: Ranking): string[] {
  return [...ranking.files].toSorted(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).map(([path]) => path)
}

function pathsWithin(paths: readonly string[], room: number): string[] {
  const shown: string[] = []
  let used = 0
  for (const path of paths) {
    used += path.length + 1
    if (used > room) break
    shown.push(path)
  }
  return shown
}

function missing(symbols: number, files: number): string[] {
  if (symbols <= 0 && files <= 0) return []
  return [`(not shown: ${Math.max(0, symbols)} symbols, ${Math.max(0, files)} files)`]
}
