import { nearest } from '../core/errors.ts'
import type { Env } from './home.ts'
import type { Assignment, Flag, Problem } from './layers.ts'
import { type Shape, settingsShape } from './shape.ts'

/** Variables with a meaning of their own that hold `__` in nobody's settings. */
const PREFIX = 'REEVE_'

/**
 * `REEVE_RUNS__MAX_ATTEMPTS=5` as an assignment. A free name (provider, gate) is taken from `names` where one fits, since variables cannot
 * hold `-` or lower case: `REEVE_PROVIDERS__MY_BOX__MODEL` is `providers.my-box.model`. Empty variables count as unset.
 */
export function variableLayer(env: Env, names: readonly (readonly string[])[]): { assignments: Assignment[]; problems: Problem[] } {
  const assignments: Assignment[] = []
  const problems: Problem[] = []
  for (const [variable, value] of Object.entries(env).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    if (!variable.startsWith(PREFIX) || !variable.includes('__') || value === undefined || value === '') continue
    const words = variable.slice(PREFIX.length).toLowerCase().split('__')
    const found = follow(words, names)
    if ('problem' in found) problems.push({ where: variable, problem: found.problem })
    else assignments.push({ path: found.path, value, where: variable, textual: true })
  }
  return { assignments, problems }
}

function follow(words: readonly string[], names: readonly (readonly string[])[]): { path: string[] } | { problem: string } {
  const path: string[] = []
  let shape: Shape = settingsShape
  for (const word of words) {
    const known: string[] = Object.keys(shape.properties ?? {})
    const free = typeof shape.additionalProperties === 'object' ? shape.additionalProperties : undefined
    if (known.includes(word)) {
      path.push(word)
      shape = shape.properties?.[word] ?? {}
      continue
    }
    if (!free) return { problem: unknownKey([...path, word], known) }
    path.push(existing(word, path, names) ?? word)
    shape = free
  }
  if (shape.type === 'object') return { problem: `"${path.join('.')}" is a table; name one of its keys` }
  return { path }
}

function existing(word: string, above: readonly string[], names: readonly (readonly string[])[]): string | undefined {
  const here = names.filter((it) => it.length > above.length && above.every((key, at) => it[at] === key))
  return here.map((it) => it[above.length] ?? '').find((it) => it.toLowerCase().replaceAll(/[^a-z0-9]/g, '_') === word)
}

/** `unknown key "runs.max_attemps"; did you mean "max_attempts"?`, or the list of keys where none is near. */
export function unknownKey(path: readonly string[], known: readonly string[]): string {
  const word = path.at(-1) ?? ''
  const near = nearest(word, known)
  const tail = near !== undefined ? `; did you mean "${near}"?` : known.length > 0 ? `; known here: ${known.toSorted().join(', ')}` : ''
  return `unknown key "${path.join('.')}"${tail}`
}

export function flagLayer(flags: readonly Flag[]): Assignment[] {
  return flags.map((it) => ({ path: it.key.split('.'), value: it.value, where: it.name, textual: typeof it.value === 'string' }))
}
