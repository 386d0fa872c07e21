import { posix } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import type { FileSymbol, Outline } from '../symbols/outline.ts'
import { isTestFile } from '../test-layout.ts'

export interface MappedFile {
  path: string
  outline: Outline
}

/** A file with what is asked about it again and again. */
export interface Prepared {
  path: string
  folder: string
  test: boolean
  /** What imports call it: its name and its folder's. */
  stems: readonly [name: string, folder: string]
  imports: ReadonlySet<string>
  names: Outline['names']
  symbols: readonly { symbol: FileSymbol /** As other files write it. */; name: string; visible: boolean }[]
}

// Between two turns of the event loop: a few milliseconds of work.
const PER_TURN = 20

/** Like `forEach`, but lets others have a turn in between. */
export async function eachInTurns<T>(items: readonly T[], work: (item: T, at: number) => void): Promise<void> {
  for (const [at, item] of items.entries()) {
    if (at % PER_TURN === PER_TURN - 1) await turn()
    work(item, at)
  }
}

export function prepare({ path, outline }: MappedFile): Prepared {
  const exporting = outline.symbols.some((it) => it.signature.startsWith('export ')) || isEntry(path, outline)
  return {
    path,
    folder: posix.dirname(path),
    test: isTestFile(path),
    stems: stemsOf(path),
    imports: new Set(outline.imports),
    names: outline.names,
    symbols: outline.symbols.map((symbol) => ({ symbol, name: plain(symbol.name), visible: !hidden(symbol, exporting) })),
  }
}

/** What others call a file in their imports: its name without extension, and its folder (Go packages, index files). */
export function stemsOf(path: string): [name: string, folder: string] {
  const segments = path.split('/')
  const name = (segments.pop() ?? '').replace(/\..*$/, '')
  return [name, segments.pop() ?? '']
}

/** A module of JavaScript that imports and exports nothing: a script, seen by nobody. */
function isEntry(path: string, { imports, names }: Outline): boolean {
  return /\.[cm]?[jt]sx?$/.test(path) && imports.length > 0 && !names.some(([it]) => it === 'exports')
}

/** Not to be seen from other files: in a module that exports, what it does not export; private and static things. */
function hidden({ kind, signature }: FileSymbol, exporting: boolean): boolean {
  if (kind === 'function' && /^(?:private|static) /.test(signature)) return true
  return exporting && kind !== 'method' && !/^(?:export|declare) /.test(signature)
}

/** `Shop.Cart` is used as `Cart`, `empty?` as `empty`, `~Stack` as `Stack`. */
function plain(name: string): string {
  const last = name.split(/\.|::/).at(-1) ?? name
  return last.replaceAll(/^[~#]|[?!=]$/g, '')
}
