import { type Document, isScalar, visit } from 'yaml'

/**
 * The first key of a document that a table has twice, or that is no text; null: none. The parser's own look (`uniqueKeys`) compares each with
 * each: a hundred thousand keys keep it busy for a minute.
 */
export function oddKey(document: Document): { offset: number; problem: string } | null {
  let found: { offset: number; problem: string } | null = null
  visit(document, {
    Map(_, { items, range }) {
      const keys = new Set<string>()
      for (const { key: node } of items) {
        const key = isScalar(node) ? String(node.value) : null
        if (key !== null && !keys.has(key)) {
          keys.add(key)
          continue
        }
        const offset = (isScalar(node) ? node.range : range)?.[0] ?? 0
        found = { offset, problem: key === null ? 'Map keys must be texts' : 'Map keys must be unique' }
        return visit.BREAK
      }
      return undefined
    },
  })
  return found
}
