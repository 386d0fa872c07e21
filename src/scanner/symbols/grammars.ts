import { access, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Language, Parser, Query } from 'web-tree-sitter'
import type { Grammar } from '../language-table.ts'

/** A grammar ready for use. The trees a parser makes must be deleted: they live outside the garbage collector. */
export interface LoadedGrammar {
  grammar: Grammar
  parser: Parser
  query: Query
}

// Not in @vscode/tree-sitter-wasm; see NOTICE.
const VENDORED: ReadonlySet<Grammar> = new Set(['c', 'elixir'])

const here = dirname(fileURLToPath(import.meta.url))
const require = createRequire(import.meta.url)

/** Makes a loader that loads every grammar once. */
export function grammarLoader(): (grammar: Grammar) => Promise<LoadedGrammar> {
  const loaded = new Map<Grammar, Promise<LoadedGrammar>>()
  let ready: Promise<void> | undefined
  return (grammar) => {
    const known = loaded.get(grammar)
    if (known) return known
    ready ??= Parser.init()
    const loading = ready.then(() => load(grammar))
    loaded.set(grammar, loading)
    return loading
  }
}

async function load(grammar: Grammar): Promise<LoadedGrammar> {
  const language = await Language.load(await readFile(await wasmPath(grammar)))
  const query = new Query(language, await readFile(await queryPath(grammar), 'utf8'))
  const parser = new Parser()
  parser.setLanguage(language)
  return { grammar, parser, query }
}

async function wasmPath(grammar: Grammar): Promise<string> {
  const file = `tree-sitter-${grammar}.wasm`
  if (!VENDORED.has(grammar)) return require.resolve(`@vscode/tree-sitter-wasm/wasm/${file}`)
  return findUpwards([join('vendor', `tree-sitter-${grammar}`, file)])
}

async function queryPath(grammar: Grammar): Promise<string> {
  // TSX is TypeScript with elements: the same query fits.
  const file = `${grammar === 'tsx' ? 'typescript' : grammar}.scm`
  return findUpwards([
    join('queries', file),
    join('scanner', 'symbols', 'queries', file),
    join('src', 'scanner', 'symbols', 'queries', file),
  ])
}

/** The first of these paths that exists in this folder or one above: sources and the bundle lie at different depths of the package. */
async function findUpwards(paths: readonly string[]): Promise<string> {
  let folder = here
  for (;;) {
    for (const path of paths.map((it) => join(folder, it))) if (await exists(path)) return path
    if (dirname(folder) === folder) throw new Error(`${paths[0]} is missing from the installation of reeve`)
    folder = dirname(folder)
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
