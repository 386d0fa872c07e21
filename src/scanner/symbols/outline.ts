import type { Node, QueryMatch, Tree } from 'web-tree-sitter'
import type { Grammar } from '../language-table.ts'
import type { RepoSymbol } from '../port.ts'
import type { LoadedGrammar } from './grammars.ts'

type Kind = RepoSymbol['kind']
export type FileSymbol = Omit<RepoSymbol, 'file'>

/** What one file defines and which names it uses: name -> how often, definitions included. */
export interface Outline {
  symbols: FileSymbol[]
  names: [name: string, count: number][]
  /** Words of its import lines: names, and what other files are called there. */
  imports: string[]
}

interface Found {
  name: string
  kind: Kind | 'scope'
  node: Node
  nameNode: Node | null
  body: Node | null
}

// In these a function is a method. `scope` is a part without a name of its own, such as Rust's `impl`.
const CLASS_LIKE: ReadonlySet<string> = new Set(['class', 'struct', 'interface', 'trait', 'enum', 'scope'])
const C_FAMILY: ReadonlySet<Grammar> = new Set(['c', 'cpp'])

// Generated files hold more; a map of them helps nobody.
const MAX_SYMBOLS = 1500
const MAX_SIGNATURE = 200
const MAX_NAMES = 2000

/** Reads the symbols of one file. Pure but for the parser; throws only when the parser does. */
export function outlineOf(text: string, loaded: LoadedGrammar): Outline {
  const tree = loaded.parser.parse(text)
  if (!tree) throw new Error('the parser gave no tree')
  try {
    return { symbols: symbolsOf(tree, text, loaded), names: namesIn(text), imports: importsIn(text) }
  } finally {
    tree.delete()
  }
}

function symbolsOf(tree: Tree, text: string, { query, grammar }: LoadedGrammar): FileSymbol[] {
  const all = query
    .matches(tree.rootNode)
    .map((match) => foundIn(match, grammar))
    .filter((it) => it !== undefined)
  const ordered = unique(all).toSorted((a, b) => a.node.startIndex - b.node.startIndex || b.node.endIndex - a.node.endIndex)
  return withoutRepeats(methodsMarked(ordered, grammar), grammar)
    .slice(0, MAX_SYMBOLS)
    .map((it) => ({
      name: it.name,
      kind: it.kind as Kind,
      line: it.node.startPosition.row + 1,
      endLine: lastRow(it.node) + 1,
      signature: signatureOf(it, text),
    }))
}

function foundIn(match: QueryMatch, grammar: Grammar): Found | undefined {
  const byName = new Map(match.captures.map((it) => [it.name, it.node] as const))
  const nameNode = byName.get('name') ?? null
  const capture = match.captures.find((it) => !['name', 'body', 'word', 'modifiers'].includes(it.name))
  if (!capture) return undefined
  const kind = capture.name as Found['kind']
  const node = C_FAMILY.has(grammar) && kind === 'function' ? declarationAround(capture.node) : capture.node
  if (!node) return undefined
  const name = nameNode === null ? '' : nameFrom(nameNode, node, grammar)
  const method = grammar === 'cpp' && kind === 'function' && nameNode?.type === 'qualified_identifier'
  return { name, kind: method ? 'method' : kind, node, nameNode, body: byName.get('body') ?? bodyOf(node) }
}

/** The definition or declaration a C declarator belongs to; undefined for parameters, casts and declarations within a function's body. */
function declarationAround(declarator: Node): Node | undefined {
  let node = declarator.parent
  while (node && (node.type.endsWith('_declarator') || node.type === 'init_declarator')) node = node.parent
  if (!node) return undefined
  if (node.type === 'function_definition' || node.type === 'field_declaration') return node
  return node.type === 'declaration' && node.parent?.type !== 'compound_statement' ? node : undefined
}

// googletest's macros read as functions without a type.
const TEST_MACRO = /^(?:TYPED_TEST|TEST)(?:_[FP])?$/

function nameFrom(nameNode: Node, node: Node, grammar: Grammar): string {
  const text = nameNode.text
  if (grammar === 'cpp' && TEST_MACRO.test(text)) {
    const named = /\(\s*(\w+)\s*,\s*(\w+)\s*\)/.exec(node.text.slice(0, 300))
    return named ? `${named[1]}.${named[2]}` : text
  }
  if (grammar === 'cpp' && nameNode.type === 'qualified_identifier') return text.slice(text.lastIndexOf('::') + 2)
  // Module names of TypeScript may be strings.
  return text.replaceAll(/^["']|["']$/g, '')
}

function bodyOf(node: Node): Node | null {
  return node.childForFieldName('body') ?? node.namedChildren.find((it) => it?.type === 'do_block') ?? null
}

/** Patterns that fit many things: a function kept in a constant is also a constant, a struct type is also a type. */
const GENERAL: ReadonlySet<string> = new Set(['constant', 'type'])

/** One symbol per name in the text: where several patterns fit, the precise one stays. */
function unique(all: readonly Found[]): Found[] {
  const seen = new Map<number, Found>()
  for (const it of all) {
    const key = it.nameNode?.startIndex ?? -1 - it.node.startIndex
    const before = seen.get(key)
    if (!before || (GENERAL.has(before.kind) && !GENERAL.has(it.kind))) seen.set(key, it)
  }
  return [...seen.values()]
}

function methodsMarked(ordered: readonly Found[], grammar: Grammar): Found[] {
  const around: Found[] = []
  return ordered.flatMap((it) => {
    while (around.length > 0 && (around.at(-1)?.node.endIndex ?? 0) < it.node.endIndex) around.pop()
    const parent = around.at(-1)?.kind
    around.push(it)
    if (it.kind === 'scope') return []
    const inClass = parent !== undefined && (CLASS_LIKE.has(parent) || (grammar === 'ruby' && parent === 'module'))
    return [it.kind === 'function' && inClass ? { ...it, kind: 'method' as const } : it]
  })
}

/** Elixir writes the clauses of a function one after another: one symbol for all. */
function withoutRepeats(all: readonly Found[], grammar: Grammar): Found[] {
  if (grammar !== 'elixir') return [...all]
  return all.filter((it, at) => at === 0 || it.kind === 'module' || all[at - 1]?.name !== it.name || all[at - 1]?.kind !== it.kind)
}

/** The definition up to its body on one line: from its first line, or from the line of its name when decorators come before. */
function signatureOf(it: Found, text: string): string {
  const anchor = it.nameNode ?? it.node
  const atLine = lineStart(text, it.node.startIndex)
  // What stands before on the line belongs to it (`export`, `template <…>`) unless it is other code.
  const first = /[{};]/.test(text.slice(atLine, it.node.startIndex)) ? it.node.startIndex : atLine
  const decorated = /^\s*(?:@|#\[|\[\[)/.test(text.slice(first, first + 80))
  const start = decorated ? Math.max(first, lineStart(text, anchor.startIndex)) : first
  const newline = text.indexOf('\n', anchor.endIndex)
  const lineEnd = Math.min(newline === -1 ? text.length : newline, Math.max(it.node.endIndex, anchor.endIndex))
  const end = it.body && it.body.startIndex > anchor.endIndex ? Math.max(anchor.endIndex, it.body.startIndex) : lineEnd
  const line = text
    .slice(start, Math.min(end, start + 1000))
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/([([]) /g, '$1')
    .replaceAll(/,? ([)\]])/g, '$1')
    .trim()
    .replace(/\s*(?:\{|=>\s*\{?|\bdo)$/, '')
    // In Python the comment behind the colon comes before the body.
    .replace(/(?<=^(?:async def|def|class) .*:) ?#.*$/, '')
  return line.length > MAX_SIGNATURE ? `${line.slice(0, MAX_SIGNATURE - 1)}…` : line
}

function lineStart(text: string, index: number): number {
  return text.lastIndexOf('\n', index - 1) + 1
}

/** A node that ends at column 0 ends on the line before: the newline was its last character. */
function lastRow(node: Node): number {
  const { row, column } = node.endPosition
  return column === 0 && row > node.startPosition.row ? row - 1 : row
}

/** Every identifier of a text with its count. Words of comments and strings count too: they name what the file is about. */
export function namesIn(text: string): [string, number][] {
  const counts = new Map<string, number>()
  for (const [word] of text.matchAll(/[\p{ID_Start}_$][\p{ID_Continue}$]{2,}/gu)) {
    const count = counts.get(word)
    if (count === undefined && counts.size >= MAX_NAMES) continue
    counts.set(word, (count ?? 0) + 1)
  }
  return [...counts]
}

const IMPORT_LINE =
  /^[ \t]*(?:import|from|export\b[^'"\n]*\bfrom|\}\s*from|#[ \t]*include|use|require|require_relative|alias|mod|using)\b.*$|\brequire\(.*$|^[ \t]*"[\w./-]+"$/gm
// More import lines than any file written by a person has.
const MAX_IMPORT_LINES = 300

/** The words of the lines that import something, in any of the languages. Cheap: no parser. */
export function importsIn(text: string): string[] {
  const lines = (text.match(IMPORT_LINE) ?? []).slice(0, MAX_IMPORT_LINES).join('\n')
  return [...new Set(lines.match(/[\p{L}\p{N}_$-]+/gu) ?? [])]
}
