import type { ExitCode } from './exits.ts'
import type { Io } from './io.ts'

/** What a command does. Returns its exit code; throws `ReeveError`. */
export type CommandRun = (io: Io, args: readonly string[], options: Options) => Promise<number>
export type Options = Readonly<Record<string, unknown>>

export interface OptionSpec {
  flags: string
  about: string
  /** Absent: a text, or a switch where `flags` names no value. */
  kind?: 'whole' | 'number'
  choices?: readonly string[]
  /** May be given several times. */
  many?: boolean
}

/** Headings of `reeve --help`. */
export const GROUPS = {
  start: 'Begin:',
  look: 'Look:',
  steer: 'Decide and steer:',
  tools: 'Without a model:',
  settings: 'Settings:',
} as const

/** A command of `reeve`. Its behaviour is loaded only when it is called. */
export interface CommandSpec {
  /** `config show` is a command below `config`. */
  name: string
  group: keyof typeof GROUPS
  summary: string
  /** In the parser's notation: `<needed>`, `[optional]`, `[many...]`. */
  args?: readonly { name: string; about: string }[]
  options?: readonly OptionSpec[]
  /** Command line and what it does. */
  examples: readonly (readonly [line: string, what: string])[]
  exits: readonly ExitCode[]
  load(): Promise<CommandRun>
}
