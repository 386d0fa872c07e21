import { LineCounter, parseDocument } from 'yaml'
import { ReeveError } from '../core/errors.ts'
import type { Json } from '../core/json.ts'

/**
 * YAML as JSON could say it: one document, no tags of its own, no aliases (a few lines of them make gigabytes), no key twice.
 * Throws `invalid_input` with the line.
 */
export function parseYaml(text: string, source: string): Json {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true, version: '1.2', schema: 'core' })
  const [broken] = [...document.errors, ...document.warnings]
  if (broken !== undefined) {
    const { line, col } = lines.linePos(broken.pos[0])
    throw new ReeveError('invalid_input', { problem: `${source}, line ${line}, column ${col}: ${broken.message.split('\n')[0]}` })
  }
  try {
    return document.toJS({ maxAliasCount: 0 }) as Json
  } catch {
    throw new ReeveError('invalid_input', { problem: `${source} has YAML aliases, which are not taken` })
  }
}
