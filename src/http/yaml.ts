import { isScalar, LineCounter, type Pair, parseDocument, visit } from 'yaml'
import { problemOf, ReeveError } from '../core/errors.ts'
import type { Json } from '../core/json.ts'

/**
 * YAML as JSON could say it: one document, no tags of its own, no aliases (a few lines of them make gigabytes), no key twice, keys that are
 * texts. Throws `invalid_input` with the line.
 */
export function parseYaml(text: string, source: string): Json {
  const lines = new LineCounter()
  const refuse = (offset: number, problem: string): never => {
    const { line, col } = lines.linePos(offset)
    throw new ReeveError('invalid_input', { problem: `${source}, line ${line}, column ${col}: ${problem}` })
  }
  // Its own look for keys that are there twice takes the square of their number.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false, version: '1.2', schema: 'core' })
  const [broken] = [...document.errors, ...document.warnings]
  if (broken !== undefined) return refuse(broken.pos[0], /call stack/.test(broken.message) ? 'it is nested too deep' : firstLine(broken))
  visit(document, {
    Alias: (_, { range }) => refuse(range?.[0] ?? 0, 'aliases are not taken'),
    Map(_, { items, range }) {
      const keys = new Set<unknown>()
      for (const pair of items) {
        const { key, at } = keyOf(pair, range?.[0] ?? 0)
        if (key === null) return refuse(at, 'a key must be a text')
        if (keys.has(key)) return refuse(at, `the key "${key.slice(0, 100)}" is there twice`)
        keys.add(key)
      }
      return undefined
    },
  })
  return document.toJS() as Json
}

/** The key as JSON would have it, and where it is; null: it is a table or a list. */
function keyOf({ key }: Pair, at: number): { key: string | null; at: number } {
  if (!isScalar(key)) return { key: null, at }
  return { key: String(key.value), at: key.range?.[0] ?? at }
}

function firstLine(error: Error): string {
  return problemOf(new Error(error.message.split('\n')[0]))
}
