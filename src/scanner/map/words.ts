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

/** The words of a task that may name something in the code: whole identifiers and their parts, lower case. */
export function queryWords(query: string): Set<string> {
  const words = query.match(/[\p{L}\p{N}_$]+/gu) ?? []
  return new Set(words.flatMap((it) => [it.toLowerCase(), ...partsOf(it)]).filter((it) => it.length >= 3 && !STOP.has(it)))
}

/**
 * How well a name answers the words of a query: 3 for a name of several words that the query spells out, else the share of its words that the
 * query has, more for several of them (`HTTPServer` says more than `HTTP`). 0 for none. Plurals count.
 */
export function matchOf(name: string, words: ReadonlySet<string>): number {
  if (words.size === 0) return 0
  const parts = partsOf(name).filter((it) => it.length >= 3)
  if (parts.length > 1 && words.has(name.toLowerCase())) return 3
  const hits = parts.filter((it) => words.has(it) || words.has(`${it}s`) || (it.endsWith('s') && words.has(it.slice(0, -1))))
  return parts.length === 0 ? 0 : (hits.length / parts.length) * (1 + Math.max(0, hits.length - 1) / 2)
}

/** The same for a path: the file's own name counts double, the best folder is added. */
export function pathMatch(path: string, words: ReadonlySet<string>): number {
  const segments = path.split('/')
  const name = (segments.pop() ?? '').replace(/\.[^.]*$/, '')
  return 2 * matchOf(name, words) + Math.max(0, ...segments.map((it) => matchOf(it, words)))
}
