import { styleText } from 'node:util'
import type { Client } from '../client/client.ts'
import type { DaemonControl } from '../client/daemon.ts'
import { forTerminal, jsonText } from '../core/hostile-text.ts'

type Style = Parameters<typeof styleText>[0]

/** What `reeve serve` was told. */
export interface ServeWishes {
  host: string | undefined
  port: number | undefined
  /** End when nobody needs it. */
  untilIdle: boolean
}

/** The terminal, the environment and the way to the product as a value: commands get it, tests make their own. */
export interface Io {
  env: Readonly<Record<string, string | undefined>>
  cwd: string
  /** What was asked for by `--json`. */
  json: boolean
  version: string
  /** Is standard output a terminal that can be redrawn? */
  tty: boolean
  /** Can a person be asked? */
  interactive: boolean
  columns(): number
  rows(): number
  out(text: string): void
  err(text: string): void
  paint: (style: Style, text: string) => string
  /** The client of the project in `-C`; opened on first use. */
  client(): Promise<Client>
  /** The daemon of this data folder; starts none. */
  daemon(): Promise<DaemonControl>
  /** Is the daemon until its end. Resolves its exit code. */
  serve(wishes: ServeWishes): Promise<number>
  /** A path as the user typed it, from where the user is, whatever `-C` says. */
  resolve(path: string): string
  /** Content of a file the user named, or of standard input for `-`. Throws `file_not_found`. */
  readFile(path: string): Promise<string>
  /** Asks a person one line. Resolves null when there is no answer (end of input, abort). */
  ask(question: string, signal: AbortSignal): Promise<string | null>
  /** Calls back on Ctrl-C and on a request to end; returns how to stop listening. */
  onInterrupt(fn: () => void): () => void
  /** Calls back about that often, for views that show time passing; returns how to stop. */
  every(ms: number, fn: () => void): () => void
  now(): number
}

/** One line for people on standard output. What a command forgot to make harmless is made so here. */
export function say(io: Io, line = ''): void {
  io.out(`${forTerminal(line)}\n`)
}

/** One JSON value on one line of standard output. */
export function sayJson(io: Io, value: unknown): void {
  io.out(`${jsonText(value)}\n`)
}

/** The answer of a command: JSON for programs, else lines for people. */
export function answer(io: Io, value: unknown, lines: () => readonly string[]): void {
  if (io.json) io.out(`${jsonText(value, 2)}\n`)
  else for (const line of lines()) say(io, line)
}

/** A remark for people, on standard error, so that it never gets into what programs read. */
export function remark(io: Io, line: string): void {
  io.err(`${forTerminal(line)}\n`)
}
