import type { Env } from './home.ts'

/** A text that came out of a substitution: it is read as a number or a boolean where the key wants one. */
export class Filled {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** `${VAR}` without a value and without a default. */
export class Unset {
  readonly variable: string

  constructor(variable: string) {
    this.variable = variable
  }
}

const PLACE = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g

/** A value with `${VAR}` and `${VAR:-default}` filled in its texts; the same value where there is nothing to fill. An empty variable counts as unset. */
export function substitute(value: string, env: Env): string | Filled | Unset {
  if (!value.includes('${')) return value
  let unset: string | undefined
  const text = value.replaceAll(PLACE, (_whole, name: string, fallback: string | undefined) => {
    const found = Object.hasOwn(env, name) ? env[name] : undefined
    if (found !== undefined && found !== '') return found
    if (fallback === undefined) unset ??= name
    return fallback ?? ''
  })
  if (unset !== undefined) return new Unset(unset)
  return text === value ? value : new Filled(text)
}

/** Command lines are left alone: there `${VAR}` is the shell's, in the environment that the command gets. */
export function isCommand(path: readonly string[]): boolean {
  return (path[0] === 'project' && path[1] === 'setup') || (path[0] === 'gates' && path[2] === 'command')
}
