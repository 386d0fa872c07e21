import type { Node } from 'web-tree-sitter'
import type { LoadedGrammar } from './grammars.ts'

export interface SyntaxProblem {
  line: number
  message: string
}

const SHOWN = 40

/** The first place a parser could not read, or null. `line` counts from 1. */
export function syntaxProblemOf(text: string, { parser }: LoadedGrammar): SyntaxProblem | null {
  // Some grammars want the last line to end: a missing newline is no error of the language.
  const tree = parser.parse(text.endsWith('\n') ? text : `${text}\n`)
  if (!tree) throw new Error('the parser gave no tree')
  try {
    if (!tree.rootNode.hasError) return null
    const bad = firstBad(tree.rootNode)
    return bad ? { line: bad.startPosition.row + 1, message: sentence(bad, text) } : null
  } finally {
    tree.delete()
  }
}

/** Depth first along the branches that hold an error; iterative, because a broken file may nest deeply. */
function firstBad(root: Node): Node | undefined {
  const open: Node[] = [root]
  for (;;) {
    const node = open.pop()
    if (!node) return undefined
    if (node.isMissing) return node
    // An ERROR node that spans the whole file says nothing: look for a narrower place in it first.
    const inner = node.children.filter((it) => it.hasError || it.isMissing || it.isError)
    if (node.isError && inner.length === 0) return node
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
