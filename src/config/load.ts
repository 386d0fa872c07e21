import { join } from 'node:path'
import { ReeveError } from '../core/errors.ts'
import { type Settings, settingsSchema } from '../core/settings.ts'
import { keyProblems, meaningProblems, schemaProblems, type WhereOf, warningsOf } from './check.ts'
import { type Consent, consentsOf } from './consent.ts'
import type { Env } from './home.ts'
import {
  type Assignment,
  type Flag,
  isTable,
  type Problem,
  projectLayers,
  type ReadProjectFile,
  userLayer,
  workingFiles,
} from './layers.ts'
import { expandHome, lowersByAutonomy, projectProblems, sandboxProblems, withinLimits } from './own.ts'
import { isSecretName } from './secrets.ts'
import { fromText, type Shape, shapeAt } from './shape.ts'
import { Filled, isCommand, substitute, Unset } from './substitute.ts'
import { flagLayer, variableLayer } from './variables.ts'

export interface LoadRequest {
  /** Top level of the project's checkout; null outside a project. */
  projectRoot: string | null
  /** How to read `reeve.toml` and its neighbours: from the base commit for runs, from the working tree (the default) for people. */
  readProjectFile?: ReadProjectFile
  env: Env
  flags?: readonly Flag[]
  /** Folder of the user's `config.toml`; absent: there is none. */
  userDir?: string
}

export type { Flag, ReadProjectFile }

export interface Loaded {
  settings: Settings
  /** Dotted key -> where its value comes from: `reeve.toml:7`, a variable, a flag, `default`. */
  origins: Map<string, string>
  warnings: string[]
  /** What a file of the project would have sent somewhere, and only the user may allow. */
  consents: Consent[]
}

/** Settings from all layers. Throws one `invalid_config` that lists every problem with its place. */
export async function loadSettings(request: LoadRequest): Promise<Loaded> {
  const { env } = request
  const user = request.userDir === undefined ? null : await userLayer(request.userDir)
  const read = request.readProjectFile ?? (request.projectRoot === null ? null : workingFiles(request.projectRoot))
  const project = read ? await projectLayers(read, env) : null
  const own = merge(user?.assignments ?? [], env, [])
  const { assignments: projects, lifted } = withinLimits(project?.assignments ?? [], own.tree)
  const files = [...(user?.assignments ?? []), ...projects]
  const variables = variableLayer(
    env,
    files.map((it) => it.path),
  )
  const problems: Problem[] = [...(user?.problems ?? []), ...(project?.problems ?? []), ...variables.problems]

  const theirs = new Set(projects)
  const merged = merge([...files, ...variables.assignments, ...flagLayer(request.flags ?? [])], env, problems, theirs)
  const said = { ...merged, where: (key: string) => merged.where.get(key) ?? 'reeve.toml' }
  problems.push(...projectProblems(said, own.tree, request.userDir === undefined ? 'config.toml' : join(request.userDir, 'config.toml')))
  const settings = check(merged, env, problems)
  if (problems.length > 0 || !settings) throw refusal(problems)
  if (lowersByAutonomy(said, own.tree)) settings.sandbox.minimum = 'os-sandbox'
  settings.sandbox.read = settings.sandbox.read.map((it) => expandHome(it, env))

  return {
    settings,
    origins: originsOf(settings, merged.where),
    warnings: [...(user?.warnings ?? []), ...(project?.warnings ?? []), ...lifted, ...warningsOf(settings, env)],
    consents: consentsOf(settings, merged, projects),
  }
}

interface Merged {
  tree: Record<string, unknown>
  where: Map<string, string>
  /** Keys whose value in force came out of a variable: it is not printed. */
  filled: Set<string>
  /** Keys whose value in force is one of `theirs`. */
  fromProject: Set<string>
}

const NOBODYS: ReadonlySet<Assignment> = new Set()

/** `theirs`: those that files of the project make. */
function merge(assignments: readonly Assignment[], env: Env, problems: Problem[], theirs = NOBODYS): Merged {
  const merged: Merged = { tree: {}, where: new Map(), filled: new Set(), fromProject: new Set() }
  for (const it of assignments) {
    const key = it.path.join('.')
    merged.filled.delete(key)
    const value = readValue(
      it,
      env,
      (problem) => problems.push({ where: it.where, problem: `${key}: ${problem}` }),
      () => merged.filled.add(key),
    )
    if (value === undefined) continue
    if (it.path.includes('__proto__')) problems.push({ where: it.where, problem: `unknown key "${key}"` })
    else put(merged.tree, it.path, value)
    merged.where.set(key, it.where)
    if (theirs.has(it)) merged.fromProject.add(key)
    else merged.fromProject.delete(key)
  }
  return merged
}

function readValue(it: Assignment, env: Env, problem: (text: string) => void, filled: () => void): unknown {
  const shape = shapeAt(it.path)
  if (it.textual) return fromText(String(it.value), shape)
  if (isCommand(it.path)) return it.value
  const fill = (text: string, wanted: Shape | undefined): unknown => {
    const done = substitute(text, env)
    if (done instanceof Unset) {
      problem(`the environment variable ${done.variable} is not set; set it, or write \${${done.variable}:-default}`)
      return undefined
    }
    if (!(done instanceof Filled)) return done
    filled()
    return fromText(done.text, wanted)
  }
  if (typeof it.value === 'string') return fill(it.value, shape)
  if (Array.isArray(it.value)) return it.value.map((item: unknown) => (typeof item === 'string' ? fill(item, shape?.items) : item))
  return it.value
}

function put(tree: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let table = tree
  for (const key of path.slice(0, -1)) {
    const inner = table[key]
    if (isTable(inner)) table = inner
    else {
      const made: Record<string, unknown> = {}
      table[key] = made
      table = made
    }
  }
  const last = path.at(-1) ?? ''
  // An empty table of a higher layer takes nothing away. Each tree has tables of its own.
  if (isTable(value)) table[last] = isTable(table[last]) ? table[last] : {}
  else table[last] = value
}

function check(merged: Merged, env: Env, problems: Problem[]): Settings | null {
  const where: WhereOf = (path) => nearestPlace(path, merged.where)
  const keys = keyProblems(merged.tree, where, merged.filled)
  problems.push(...keys)
  const result = settingsSchema.safeParse(merged.tree)
  if (!result.success) {
    problems.push(...schemaProblems(result.error.issues, merged.tree, where, merged.filled))
    return null
  }
  problems.push(...meaningProblems(result.data, where), ...sandboxProblems(result.data, env, where))
  return result.data
}

/** The place of a key; of what is in it; else of the nearest table around it. */
function nearestPlace(path: readonly string[], where: ReadonlyMap<string, string>): string {
  for (let length = path.length; length > 0; length--) {
    const key = path.slice(0, length).join('.')
    const found = where.get(key) ?? [...where].find(([it]) => it.startsWith(`${key}.`))?.[1]
    if (found !== undefined) return found
  }
  return 'reeve.toml'
}

function refusal(problems: readonly Problem[]): ReeveError {
  const [first, ...rest] = problems
  const more = rest.map((it) => `\n${it.where}: ${it.problem}`).join('')
  return new ReeveError('invalid_config', { where: first?.where ?? 'reeve.toml', problem: `${first?.problem ?? 'cannot be used'}${more}` })
}

function originsOf(settings: Settings, where: ReadonlyMap<string, string>): Map<string, string> {
  return new Map(leaves(settings).map(([key]) => [key, where.get(key) ?? 'default']))
}

/** Every value of the settings by its dotted key; tables only where they are empty. */
export function leaves(value: unknown, key = ''): [string, unknown][] {
  if (!isTable(value)) return [[key, value]]
  const inner = Object.entries(value)
  if (inner.length === 0 && key !== '') return [[key, value]]
  return inner.flatMap(([name, it]) => leaves(it, key === '' ? name : `${key}.${name}`))
}

/** A value as `config show` may print it: telling headers and variables are hidden. */
export function printable(key: string, value: unknown): unknown {
  const name = /^providers\..+\.(?:headers|env)\.(.+)$/.exec(key)?.[1]
  return name !== undefined && isSecretName(name) ? '[hidden]' : value
}
