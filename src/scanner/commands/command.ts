import type { DetectedCommand, ReportFormat } from '../port.ts'
import type { Word } from './shell-words.ts'

export type Argv = readonly [string, ...string[]]

/** What a detector says; the rest has a default. */
export interface CommandParts {
  gate: string
  tool: string
  argv: Argv
  cwd: string
  reason: string
  /** As a person would type it; the argv without reeve's own report options. */
  typed: string
  /** Executable and how to get it. Absent: the first of argv, without a hint of its own. */
  needs?: { program: string; hint: string }
  env?: Readonly<Record<string, string>>
  report?: { format: ReportFormat; path: string | null }
  prepare?: DetectedCommand['prepare']
  buildFolder?: DetectedCommand['buildFolder']
  testPaths?: readonly string[]
  globs?: readonly string[]
}

/** Builds a command; leaves out what is empty. */
export function command(parts: CommandParts): DetectedCommand {
  const { typed, prepare, buildFolder, testPaths, globs, env, ...rest } = parts
  const found: DetectedCommand = {
    ...rest,
    command: typed,
    needs: parts.needs ?? { program: parts.argv[0], hint: `Install ${parts.argv[0]}.` },
    report: parts.report ?? { format: 'exit-code', path: null },
  }
  if (env && Object.keys(env).length > 0) found.env = env
  if (prepare && prepare.length > 0) found.prepare = prepare
  if (buildFolder) found.buildFolder = buildFolder
  if (testPaths && testPaths.length > 0) found.testPaths = testPaths
  if (globs && globs.length > 0) found.globs = globs
  return found
}

/** The words as `sh` would hand them over; `**` without globstar is `*`. */
export function texts(words: readonly Word[]): string[] {
  return words.map((it) => (it.glob ? it.text.replaceAll(/\*\*+/g, '*') : it.text))
}

/** Those of the words that a shell would have expanded. */
export function globsOf(words: readonly Word[]): string[] {
  return texts(words.filter((it) => it.glob))
}

/** A command line for people: words with blanks are quoted. */
export function typedLine(words: readonly string[]): string {
  return words.map((it) => (it === '' || /[\s'"$*?]/.test(it) ? `'${it.replaceAll("'", String.raw`'\''`)}'` : it)).join(' ')
}
