import { resolve } from 'node:path'
import { type Host, main } from '../../src/cli/main.ts'
import type { Client } from '../../src/client/client.ts'
import type { DaemonControl } from '../../src/client/daemon.ts'
import { ReeveError } from '../../src/core/errors.ts'

export interface FakeTerminal {
  host: Host
  out(): string
  err(): string
  /** Presses Ctrl-C. */
  interrupt(): void
  /** Lets time pass for views that redraw. */
  tick(): void
}

export interface TerminalOptions {
  client?: Client
  daemon?: DaemonControl
  tty?: boolean
  columns?: number
  rows?: number
  cwd?: string
  files?: Readonly<Record<string, string>>
  /** What a person answers, in order; then nothing more. Absent: nobody is there. */
  answers?: readonly string[]
  now?: number
}

function listen(set: Set<() => void>, fn: () => void): () => void {
  set.add(fn)
  return () => void set.delete(fn)
}

/** A terminal in memory, without colours. */
export function fakeTerminal(options: TerminalOptions = {}): FakeTerminal {
  let out = ''
  let err = ''
  const interrupts = new Set<() => void>()
  const ticks = new Set<() => void>()
  const answers = [...(options.answers ?? [])]
  const cwd = options.cwd ?? '/nowhere'
  const host: Host = {
    env: {},
    cwd,
    version: '1.2.3',
    tty: options.tty ?? false,
    interactive: options.answers !== undefined,
    columns: () => options.columns ?? 80,
    rows: () => options.rows ?? 24,
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    paint: (_style, text) => text,
    resolve: (path) => resolve(cwd, path),
    open: () => (options.client ? Promise.resolve(options.client) : Promise.reject(new Error('no client was expected here'))),
    daemon: () => (options.daemon ? Promise.resolve(options.daemon) : Promise.reject(new Error('no daemon was expected here'))),
    serve: () => Promise.reject(new Error('nothing was to be served here')),
    readFile: (path) => {
      const text = options.files?.[path]
      return text === undefined ? Promise.reject(new ReeveError('file_not_found', { path })) : Promise.resolve(text)
    },
    ask: (question) => {
      out += `${question}\n`
      return Promise.resolve(answers.shift() ?? null)
    },
    onInterrupt: (fn) => listen(interrupts, fn),
    every: (_ms, fn) => listen(ticks, fn),
    now: () => options.now ?? 1_000_000,
  }
  return {
    host,
    out: () => out,
    err: () => err,
    interrupt: () => interrupts.forEach((fn) => fn()),
    tick: () => ticks.forEach((fn) => fn()),
  }
}

/** Runs one command line on a terminal in memory. */
export async function cli(argv: readonly string[], options: TerminalOptions = {}): Promise<{ exit: number; out: string; err: string }> {
  const terminal = fakeTerminal(options)
  const exit = await main(argv, terminal.host)
  return { exit, out: terminal.out(), err: terminal.err() }
}

/** Without the line end. */
export function lastLine(out: string): string {
  return out.trimEnd().split('\n').at(-1) ?? ''
}
