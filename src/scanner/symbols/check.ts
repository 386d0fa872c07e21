import { stripTypeScriptTypes } from 'node:module'
import type { Node } from 'web-tree-sitter'
import type { Grammar } from '../language-table.ts'
import type { LoadedGrammar } from './grammars.ts'

export interface SyntaxProblem {
  line: number
  message: string
}

const SHOWN = 40

/**
 * C and C++ are read without their preprocessor: where one place looks like a macro (it, or one of the two lines before), what follows it
 * may be misread too, and nothing is reported.
 */
const MACRO = /\b_*[A-Z][A-Z0-9_]{2,}\b|\b(?:slots|signals|emit)\b|^[ \t]*#/m
const UNPROCESSED: ReadonlySet<Grammar> = new Set(['c', 'cpp'])

/** Grammars that are behind their language; Node's own parser has the last word there. */
const BEHIND: ReadonlySet<Grammar> = new Set(['typescript', 'javascript'])

/** The first place a parser could not read, or null. `line` counts from 1. */
export function syntaxProblemOf(text: string, { parser, grammar }: LoadedGrammar): SyntaxProblem | null {
  // Some grammars want the last line to end: a missing newline is no error of the language.
  const tree = parser.parse(text.endsWith('\n') ? text : `${text}\n`)
  if (!tree) throw new Error('the parser gave no tree')
  try {
    if (!tree.rootNode.hasError) return null
    const lines = text.split('\n')
    const problems = [...badPlaces(tree.rootNode)].map((it) => ({ line: it.startPosition.row + 1, message: sentence(it, text) }))
    if (UNPROCESSED.has(grammar) && problems.some((it) => MACRO.test(lines.slice(Math.max(0, it.line - 3), it.line).join('\n'))))
      return null
    if (BEHIND.has(grammar) && nodeReads(text)) return null
    return problems[0] ?? null
  } finally {
    tree.delete()
  }
}

/** Whether Node could read it as a module of TypeScript. It knows no JSX, so its no is not the last word. */
function nodeReads(text: string): boolean {
  try {
    stripTypeScriptTypes(text)
    return true
  } catch (error) {
    // Enums and the like are sound, they only cannot be stripped.
    return (error as { code?: string }).code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX'
  }
}

// A file in another language is one error after the other.
const MOST_PLACES = 100

/** Depth first along the branches that hold an error; iterative, because a broken file may nest deeply. */
function* badPlaces(root: Node): Generator<Node> {
  const open: Node[] = [root]
  let found = 0
  for (let node = open.pop(); node && found < MOST_PLACES; node = open.pop()) {
    // An ERROR node that spans the whole file says nothing: look for a narrower place in it first.
    const inner = node.isMissing ? [] : node.children.filter((it) => it.hasError || it.isMissing || it.isError)
    if (node.isMissing || (node.isError && inner.length === 0)) {
      found += 1
      yield node
    }
    open.push(...inner.toReversed())
  }
}

function sentence(node: Node, text: string): string {
  if (node.isMissing) return `missing ${shown(node.type)}`
  const part = text.slice(node.startIndex, node.endIndex).trim().split('\n')[0] ?? ''
  return part === '' ? 'unexpected end' : `unexpected ${shown(part)}`
}

function shown(part: string): string {
  return part.length > SHOWN ? `"${part.slice(0, SHOWN)}…"` : `"${part}"`
}
