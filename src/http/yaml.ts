import { LineCounter, parseDocument, visit } from 'yaml'
import { ReeveError } from '../core/errors.ts'
import type { Json } from '../core/json.ts'
import { oddKey } from '../operations/yaml-keys.ts'

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
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false, version: '1.2', schema: 'core' })
  const [broken] = [...document.errors, ...document.warnings]
  if (broken !== undefined) return refuse(broken.pos[0], /call stack/.test(broken.message) ? 'it is nested too deep' : broken.message)
  visit(document, { Alias: (_, { range }) => refuse(range?.[0] ?? 0, 'aliases are not taken') })
  const odd = oddKey(document)
  if (odd !== null) return refuse(odd.offset, odd.problem)
  return document.toJS() as Json
}
