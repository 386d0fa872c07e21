import { SaxesParser } from 'saxes'

export interface XmlNode {
  name: string
  attributes: Readonly<Record<string, string>>
  children: XmlNode[]
  /** Text directly below it, CDATA included. */
  text: string
}

/** Deeper than any report nests; a document that goes on is an attack on our stack. */
const DEEPEST = 200
/** Characters of text kept per element: a failing test's diff can be as large as its data. */
const LONGEST_TEXT = 64 * 1024
/** Elements of one document: a hundred thousand tests with their details. */
const MOST_NODES = 1_000_000

// Runners copy raw output into reports; XML 1.0 forbids these characters and one of them must not cost the whole report.
const FORBIDDEN = new RegExp(
  [
    String.raw`[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]`,
    // Halves of surrogate pairs.
    String.raw`[\ud800-\udbff](?![\udc00-\udfff])`,
    String.raw`(?<![\ud800-\udbff])[\udc00-\udfff]`,
  ].join('|'),
  'g',
)
const FORBIDDEN_REFERENCE = /&#(?:x(?:0*(?:[0-8bcef]|1[0-9a-f]))|0*(?:[0-8]|1[124-9]|2[0-9]|3[01]));/gi

class TooMuch extends Error {}

/**
 * Reads a whole document. A broken or cut one gives what was complete before the fault, and the problem in one sentence.
 * Entities other than XML's own five are an error; nothing is loaded from elsewhere.
 */
export function readXml(source: string): { root: XmlNode; problem: string | null } {
  const root: XmlNode = { name: '', attributes: {}, children: [], text: '' }
  const open: XmlNode[] = [root]
  let nodes = 0
  const parser = new SaxesParser({ xmlns: false, position: true })
  const addText = (text: string) => {
    const node = open.at(-1)
    if (node && node.text.length < LONGEST_TEXT) node.text += text.slice(0, LONGEST_TEXT - node.text.length)
  }
  parser.on('error', (error) => {
    throw error
  })
  parser.on('opentag', (tag) => {
    nodes++
    if (open.length > DEEPEST) throw new TooMuch(`elements nest deeper than ${DEEPEST}`)
    if (nodes > MOST_NODES) throw new TooMuch(`more than ${MOST_NODES} elements`)
    const node: XmlNode = { name: tag.name, attributes: tag.attributes, children: [], text: '' }
    open.at(-1)?.children.push(node)
    open.push(node)
  })
  parser.on('closetag', () => {
    open.pop()
  })
  parser.on('text', addText)
  parser.on('cdata', addText)
  try {
    parser
      .write(
        source
          .replace(/^\ufeff?\s+(?=<\?xml)/, '')
          .replaceAll(FORBIDDEN, '\ufffd')
          .replaceAll(FORBIDDEN_REFERENCE, '\ufffd'),
      )
      .close()
    if (nodes === 0) return { root, problem: 'it holds no element' }
    return { root, problem: null }
  } catch (error) {
    return { root, problem: error instanceof Error ? error.message.replaceAll(/\s+/g, ' ').slice(0, 200) : 'it is broken' }
  }
}

/** All elements of this name below a node, at any depth, in order. */
export function* descendants(node: XmlNode, name: string): Generator<XmlNode> {
  for (const child of node.children) {
    if (child.name === name) yield child
    yield* descendants(child, name)
  }
}
