/** More than anybody writes; without a limit a few braces in a row make millions. */
const MAX_ALTERNATIVES = 2000

/** Does a path fit a glob? `*` and `?` within a name, `**` over folders, `{a,b}`; a glob without `/` fits any folder's files; a folder fits all below it. */
export function fitsGlob(path: string, glob: string): boolean {
  const anchored = glob.startsWith('/') ? glob.slice(1) : glob.includes('/') ? glob : `**/${glob}`
  const below = anchored.endsWith('/') ? `${anchored}**` : anchored
  return alternativesOf(below).some((it) => fits(path, partsOf(it)))
}

/** `name*`: characters within a name; `any*`: any characters; `folders`: nothing, or whole folders. */
type Part = { one: string } | 'name' | 'name*' | 'any*' | 'folders'

/** The globs without braces that a glob stands for. A brace that is not closed ends with the glob. */
function alternativesOf(glob: string): string[] {
  const done: string[] = []
  const open = [glob]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const brace = lastBrace(next)
    if (brace === null) done.push(next)
    else if (done.length + open.length < MAX_ALTERNATIVES) open.push(...brace.choices.map((it) => brace.before + it + brace.after))
  }
  return done
}

/** The last brace of a glob has no other inside. */
function lastBrace(glob: string): { before: string; choices: string[]; after: string } | null {
  const from = glob.lastIndexOf('{')
  if (from < 0) return null
  const to = glob.indexOf('}', from)
  const end = to < 0 ? glob.length : to
  return { before: glob.slice(0, from), choices: glob.slice(from + 1, end).split(','), after: glob.slice(end + 1) }
}

function partsOf(glob: string): Part[] {
  const parts: Part[] = []
  for (let at = 0; at < glob.length; ) {
    const rest = glob.slice(at, at + 3)
    const part: Part =
      rest === '**/'
        ? 'folders'
        : rest.startsWith('**')
          ? 'any*'
          : rest.startsWith('*')
            ? 'name*'
            : rest.startsWith('?')
              ? 'name'
              : { one: rest.charAt(0) }
    // The same twice says no more than once.
    if (typeof part !== 'string' || part === 'name' || parts.at(-1) !== part) parts.push(part)
    at += part === 'folders' ? 3 : part === 'any*' ? 2 : 1
  }
  return parts
}

/**
 * All places of the glob at once, character by character: the time is bounded by path times glob, whatever both look like. A regular
 * expression would try every way to share a long name between its stars.
 */
function fits(path: string, parts: readonly Part[]): boolean {
  let places = withSkips([0], parts, true)
  for (let at = 0; at < path.length; at++) {
    const character = path.charAt(at)
    // A folder named without a final "/" covers what is below it.
    if (character === '/' && places.has(parts.length)) return true
    const next = [...places].flatMap((place) => after(place, parts[place], character))
    places = withSkips(next, parts, character === '/')
    if (places.size === 0) return false
  }
  return places.has(parts.length)
}

function after(place: number, part: Part | undefined, character: string): number[] {
  if (part === undefined) return []
  if (part === 'any*' || part === 'folders') return [place]
  if (part === 'name*') return character === '/' ? [] : [place]
  if (part === 'name') return character === '/' ? [] : [place + 1]
  return part.one === character ? [place + 1] : []
}

/** With the places that are reached without a character. Past `folders` only where a name begins. */
function withSkips(places: readonly number[], parts: readonly Part[], atName: boolean): Set<number> {
  const all = new Set(places)
  for (const place of all) {
    const part = parts[place]
    if (part === 'any*' || part === 'name*' || (part === 'folders' && atName)) all.add(place + 1)
  }
  return all
}
