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
  server: 'The daemon:',
} as const

/** Commands of two words, by the first one: what it stands for, and where its commands are listed. */
export const FAMILIES: Readonly<Record<string, { about: string; group: keyof typeof GROUPS }>> = {
  config: { about: 'Show or check the settings', group: 'settings' },
  daemon: { about: 'Look at the daemon, end it, read its log', group: 'server' },
  keys: { about: 'API keys of programs: add, list, revoke', group: 'server' },
  audit: { about: 'What was done by whom: list, verify', group: 'server' },
  queue: { about: 'What runs next: list, pause, order', group: 'steer' },
  webhooks: { about: 'Programs that are told of events: list, deliveries, test', group: 'server' },
  models: { about: 'Models by name: add, list, remove', group: 'settings' },
}

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
