/** More than anybody writes; without a limit a few braces in a row make millions. */
const MAX_ALTERNATIVES = 2000

/** Does a path fit a glob? `*` and `?` within a name, `**` over folders, `{a,b}`; a glob without `/` fits any folder's files; a folder fits all below it. */
export function fitsGlob(path: string, glob: string): boolean {
  return matcherOf(glob)(path)
}

/** Does a path fit any of these? For many paths: what one path has shown of the globs is remembered for the next. */
export function matcherOf(...globs: string[]): (path: string) => boolean {
  const all = globs.flatMap((glob) => {
    const anchored = glob.startsWith('/') ? glob.slice(1) : glob.includes('/') ? glob : `**/${glob}`
    return alternativesOf(anchored.endsWith('/') ? `${anchored}**` : anchored)
  })
  return walkOf(all.map(partsOf))
}

/** `name*`: characters within a name; `any*`: any characters; `folders`: nothing, or whole folders; `end`: the glob has been gone through. */
type Part = { one: string } | 'name' | 'name*' | 'any*' | 'folders' | 'end'

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
  return [...parts, 'end']
}

/** Places of the globs that a path may have reached at a character, and where the next characters lead from there. */
interface Reached {
  places: ReadonlySet<number>
  /** One of the globs has been gone through. */
  ended: boolean
  next: Map<string, Reached>
}

/** Steps that are remembered; names of a project are made of few characters, and a path made to be odd must not fill the memory. */
const MAX_REMEMBERED = 10_000

/**
 * All places of all globs at once, character by character: the time is bounded by path times globs, whatever they look like. A regular
 * expression would try every way to share a long name between its stars.
 */
function walkOf(globs: readonly (readonly Part[])[]): (path: string) => boolean {
  const parts = globs.flat()
  const known = new Map<string, Reached>()
  let remembered = 0
  const reach = (places: ReadonlySet<number>): Reached => {
    const key = [...places].toSorted((a, b) => a - b).join(' ')
    const reached = known.get(key) ?? { places, ended: [...places].some((it) => parts[it] === 'end'), next: new Map() }
    if (remembered < MAX_REMEMBERED) known.set(key, reached)
    return reached
  }
  const step = (from: Reached, character: string): Reached => {
    const next = [...from.places].flatMap((place) => after(place, parts[place], character))
    const reached = reach(withSkips(next, parts, character === '/'))
    if (remembered < MAX_REMEMBERED) {
      remembered += 1
      from.next.set(character, reached)
    }
    return reached
  }
  const begins = globs.map((_, at) => globs.slice(0, at).reduce((sum, it) => sum + it.length, 0))
  const begin = reach(withSkips(begins, parts, true))
  return (path) => {
    let reached = begin
    for (let at = 0; at < path.length; at++) {
      const character = path.charAt(at)
      // A folder named without a final "/" covers what is below it.
      if (character === '/' && reached.ended) return true
      reached = reached.next.get(character) ?? step(reached, character)
      if (reached.places.size === 0) return false
    }
    return reached.ended
  }
}

function after(place: number, part: Part | undefined, character: string): number[] {
  if (part === undefined || part === 'end') return []
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
