// Words of ordinary task texts that are also parts of many names.
const STOP = new Set(
  'the and for with that this from into when then not are was were has have will should must can all any each its use using add new make file files code test tests function class method'.split(
    ' ',
  ),
)

/** `parseHTTPHeader_v2` -> parse, http, header, v2. Lower case. */
export function partsOf(name: string): string[] {
  return name
    .replaceAll(/(\p{Ll}|\d)(\p{Lu})/gu, '$1 $2')
    .replaceAll(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1 $2')
    .split(/[^\p{L}\p{N}]+/u)
    .filter((it) => it !== '')
    .map((it) => it.toLowerCase())
}

/** How names and paths answer a task's text. Remembers: the same names come again in every file. */
export interface Query {
  /**
   * 3 for a name of several words that the text spells out, else the share of its words that the text has, more for several of them
   * (`HTTPServer` says more than `HTTP`). 0 for none. Plurals and other endings count as the word.
   */
  name(name: string): number
  /** The same for a path: the file's own name counts double, the best folder is added. */
  path(path: string): number
}

export function queryOf(text: string): Query {
  const words = queryWords(text)
  const known = new Map<string, number>()
  const nameMatch = (name: string): number => {
    const before = known.get(name)
    if (before !== undefined) return before
    const match = words.size === 0 ? 0 : matchOf(name, words)
    known.set(name, match)
    return match
  }
  return {
    name: nameMatch,
    path(path) {
      const segments = path.split('/')
      const name = (segments.pop() ?? '').replace(/\.[^.]*$/, '')
      return 2 * nameMatch(name) + segments.reduce((most, it) => Math.max(most, nameMatch(it)), 0)
    },
  }
}

/** The words of a task that may name something in the code: whole identifiers and their parts, lower case. */
function queryWords(query: string): Set<string> {
  const words = query.match(/[\p{L}\p{N}_$]+/gu) ?? []
  const telling = words.flatMap((it) => [it.toLowerCase(), ...partsOf(it)]).filter((it) => it.length >= 3 && !STOP.has(it))
  return new Set(telling.flatMap((it) => [it, stemOf(it)]))
}

/** Rough, for English: `redactor`, `redacted` and `redact` are one word, as `parser`, `parsing` and `parse`. */
function stemOf(word: string): string {
  return word.replace(/^(.{3,}?)(?:ations?|ions?|ings?|ers?|ors?|ed|es|e|(?<!s)s)$/u, '$1')
}

function matchOf(name: string, words: ReadonlySet<string>): number {
  const parts = partsOf(name).filter((it) => it.length >= 3)
  if (parts.length > 1 && words.has(name.toLowerCase())) return 3
  const hits = parts.filter((it) => words.has(stemOf(it)))
  return parts.length === 0 ? 0 : (hits.length / parts.length) * (1 + Math.max(0, hits.length - 1) / 2)
}
