import { readFile } from 'node:fs/promises'
import { isAbsolute, join, normalize, resolve } from 'node:path'
import { parse, TomlDate, TomlError } from 'smol-toml'
import type { Env } from './home.ts'
import { keyLines } from './key-lines.ts'

/** One value of one layer. `where` is `reeve.toml:7`, a variable or a flag: what a person changes to change it. */
export interface Assignment {
  path: readonly string[]
  value: unknown
  where: string
  /** Came as a text from a variable or a flag: read as what the key wants. */
  textual: boolean
}

export interface Problem {
  where: string
  problem: string
}

/** What a set of layers says, lowest first, and what was wrong with the layers themselves. */
export interface Layers {
  assignments: Assignment[]
  problems: Problem[]
  warnings: string[]
}

/** Content of a file of the project, null where there is none. `path` is relative to the project root. */
export type ReadProjectFile = (path: string) => Promise<string | null>

/** A flag of the command line that overrides a setting. */
export interface Flag {
  /** Such as `runs.max_attempts`. */
  key: string
  value: string | number | boolean
  /** As the user typed it: `--max-attempts`. */
  name: string
}

/** Reads the files of the working tree. */
export function workingFiles(root: string): ReadProjectFile {
  return (path) => readIfThere(join(root, path))
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw error
  }
}

interface FileLayer {
  name: string
  read: (path: string) => Promise<string | null>
  /** Turns an `extends` entry into a path for `read`, or null when it is refused. */
  follow: (path: string) => string | null
  layers: Layers
}

/** The user's `config.toml` with what it extends. Its `extends` may name any file, from its own folder. */
export async function userLayer(folder: string): Promise<Layers> {
  const layers: Layers = { assignments: [], problems: [], warnings: [] }
  await addFile(
    { name: 'config.toml', read: (path) => readIfThere(resolve(folder, path)), follow: (path) => resolve(folder, path), layers },
    [],
  )
  return layers
}

/** `reeve.toml` with what it extends (below it), then `reeve.<env>.toml`. `extends` stays within the project. */
export async function projectLayers(read: ReadProjectFile, env: Env): Promise<Layers> {
  const layers: Layers = { assignments: [], problems: [], warnings: [] }
  await addFile({ name: 'reeve.toml', read, follow: withinProject, layers }, [])
  const name = env['REEVE_ENV']
  if (name === undefined || name === '') return layers
  if (!/^[A-Za-z0-9_-]+$/.test(name)) {
    layers.problems.push({ where: 'REEVE_ENV', problem: `"${name}" is no environment name; allowed: letters, digits, "-" and "_"` })
    return layers
  }
  const file = `reeve.${name}.toml`
  const found = await addFile({ name: file, read, follow: withinProject, layers }, [])
  if (!found) layers.warnings.push(`REEVE_ENV is "${name}", but there is no ${file}.`)
  return layers
}

function withinProject(path: string): string | null {
  const plain = normalize(path)
  return isAbsolute(plain) || plain === '..' || plain.startsWith('../') ? null : plain
}

async function addFile(file: FileLayer, above: readonly string[]): Promise<boolean> {
  const text = await file.read(file.name)
  if (text === null) return false
  const parsed = parseToml(text, file.name)
  if ('problem' in parsed) {
    file.layers.problems.push(parsed)
    return true
  }
  const { extends: bases, ...tables } = parsed.value
  const lines = keyLines(text)
  const at = (path: readonly string[]) => lineOf(path, lines, file.name)
  for (const base of listOf(bases)) await addBase(file, base, [...above, file.name], at(['extends']))
  collect(tables, [], at, file.layers.assignments)
  return true
}

/** Bases lie below the file that names them: what a file says itself wins over what it extends. */
async function addBase(file: FileLayer, base: unknown, above: readonly string[], where: string): Promise<void> {
  const problem = (text: string) => void file.layers.problems.push({ where, problem: text })
  if (typeof base !== 'string') return problem('extends holds something that is no text; allowed: a path, or a list of paths')
  const path = file.follow(base)
  if (path === null) return problem(`extends names "${base}", which is outside the project; allowed: a path within it`)
  if (above.includes(path)) return problem(`extends goes in a circle: ${[...above, path].join(' -> ')}`)
  const found = await addFile({ ...file, name: path }, above)
  if (!found) problem(`extends names "${base}", which does not exist`)
}

function listOf(value: unknown): unknown[] {
  if (value === undefined) return []
  return Array.isArray(value) ? value : [value]
}

function parseToml(text: string, name: string): { value: Record<string, unknown> } | Problem {
  try {
    return { value: parse(text) }
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const [first = 'not valid TOML'] = error.message.split('\n')
    return { where: `${name}:${error.line}`, problem: `${first.replace(/^Invalid TOML document: /, '')} (column ${error.column})` }
  }
}

function lineOf(path: readonly string[], lines: ReadonlyMap<string, number>, name: string): string {
  for (let length = path.length; length > 0; length--) {
    const line = lines.get(path.slice(0, length).join('.'))
    if (line !== undefined) return `${name}:${line}`
  }
  return name
}

function collect(value: unknown, path: readonly string[], at: (path: readonly string[]) => string, into: Assignment[]): void {
  if (!isTable(value)) {
    into.push({ path, value, where: at(path), textual: false })
    return
  }
  // A table has a place of its own, for problems with the whole of it.
  if (path.length > 0) into.push({ path, value: {}, where: at(path), textual: false })
  for (const [key, inner] of Object.entries(value)) collect(inner, [...path, key], at, into)
}

export function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof TomlDate)
}
