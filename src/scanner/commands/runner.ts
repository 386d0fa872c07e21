import type { DetectedCommand, ReportFormat } from '../port.ts'
import { type Argv, globsOf, texts, typedLine } from './command.ts'
import type { SimpleCommand, Word } from './shell-words.ts'

/** A tool whose command line we know well enough to ask it for a machine-readable report. */
export interface Runner {
  tool: string
  gate: 'tests' | 'lint' | 'types' | 'build'
  /** The words after the program's own (`vitest`, `python -m pytest`), or null when this is not its command line. */
  arguments(words: readonly Word[]): readonly Word[] | null
  /** The project's own arguments with ours added. */
  extend(own: readonly Word[]): Extension
  /** The same run with coverage, when it has a way. */
  cover?(own: readonly Word[]): Extension & { tool: string }
}

export interface Extension {
  argv: Argv
  report: { format: ReportFormat; path: string | null }
  needs: { program: string; hint: string }
  /** Own arguments that choose tests. */
  chosen?: readonly Word[]
  env?: Readonly<Record<string, string>>
  prepare?: DetectedCommand['prepare']
}

/** A command line that one of the runners understood. */
export interface Recognised {
  runner: Runner
  own: readonly Word[]
  env: Readonly<Record<string, string>>
  /** Simple commands that stand before it in the line, joined by `&&`. */
  before: readonly SimpleCommand[]
  /** As it was written. */
  line: string
}

const BUILTINS = new Set('cd export source . set unset ulimit umask alias eval exec trap pushd popd test ['.split(' '))

/** The last of the simple commands, when a runner knows it. Others before it are kept as they are. */
export function recognise(commands: readonly SimpleCommand[], runners: readonly Runner[]): Recognised | null {
  const last = commands.at(-1)
  // What a shell does to itself (`cd build && ctest`) is lost when each command is started alone.
  if (!last || commands.some((it) => BUILTINS.has(it.words[0]?.text ?? ''))) return null
  for (const runner of runners) {
    const own = runner.arguments(last.words)
    if (own) {
      const line = commands.map((it) => typedLine(it.words.map((word) => word.text))).join(' && ')
      return { runner, own, env: last.env, before: commands.slice(0, -1), line }
    }
  }
  return null
}

function plainArgv(words: readonly Word[]): Argv {
  const [program = 'true', ...rest] = texts(words)
  return [program, ...rest]
}

/** What an extension adds to a command, with the parts of the line that came before it. */
export function extended(found: Recognised, extension: Extension) {
  // A command before it that sets variables or has globs is rare; `env` sets them without a shell, globs stay as they are.
  const before = found.before.map((it) => {
    const assignments = Object.entries(it.env).map(([name, value]) => `${name}=${value}`)
    const argv = plainArgv(it.words)
    const whole: Argv = assignments.length > 0 ? ['env', ...assignments, ...argv] : argv
    return { argv: whole }
  })
  return {
    argv: extension.argv,
    report: extension.report,
    needs: extension.needs,
    env: { ...extension.env, ...found.env },
    prepare: [...before, ...(extension.prepare ?? [])],
    testPaths: texts(extension.chosen ?? []),
    globs: [...globsOf(found.own), ...found.before.flatMap((it) => globsOf(it.words))],
    typed: found.line,
  }
}

/** The words after this program, given by its words in order (`['python3', '-m', 'pytest']`); the first is compared without its folder. */
export function after(words: readonly Word[], ...program: readonly (string | readonly string[])[]): readonly Word[] | null {
  const fits = program.every((want, at) => {
    const text = words[at]?.text ?? ''
    const name = at === 0 ? (text.split('/').at(-1) ?? '') : text
    return typeof want === 'string' ? name === want : want.includes(name)
  })
  return fits ? words.slice(program.length) : null
}
