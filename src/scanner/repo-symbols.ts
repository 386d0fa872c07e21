import type { Checkout } from '../workspace/port.ts'
import { isInTarget, listProjectFiles } from './files.ts'
import { grammarOf } from './languages.ts'
import type { RepoSymbol, Skipped } from './port.ts'
import { type SymbolReader, sharedReader } from './symbols.ts'
import { eachText } from './texts.ts'

export interface RepoSymbols {
  /** By file and line. */
  symbols: RepoSymbol[]
  /** Files that could not be parsed, and why. */
  skipped: Skipped[]
}

// About 250 files a second: a minute.
const MOST_FILES = 15_000

/** Every symbol of the files (default: all sources of the project) that a grammar can read. A file that fails is named and costs nothing else. */
export async function repoSymbols(
  checkout: Checkout,
  paths?: readonly string[],
  reader: SymbolReader = sharedReader(),
): Promise<RepoSymbols> {
  const all = paths ?? (await listProjectFiles(checkout)).filter((it) => isInTarget(checkout, it) && grammarOf(it) !== undefined)
  const { done, skipped } = await eachText(checkout.path, all.slice(0, MOST_FILES), async (path, text) => ({
    path,
    outline: await reader.outline(path, text),
  }))
  const symbols: RepoSymbol[] = []
  for (const { path, outline } of done) {
    if (outline === null) continue
    if ('problem' in outline) skipped.push({ path, reason: outline.problem })
    else symbols.push(...outline.symbols.map((it) => ({ ...it, file: path })))
  }
  if (all.length > MOST_FILES) skipped.push({ path: '…', reason: `only the first ${MOST_FILES} of ${all.length} source files were parsed` })
  return { symbols, skipped }
}
