import type { Clock } from '../core/clock.ts'
import { problemOf } from '../core/errors.ts'
import { jsonText } from '../core/hostile-text.ts'
import type { Redact } from '../core/redact.ts'

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Facts beside the message: plain values, errors, lists and tables of them. Never what a model has said. */
export type LogFields = Readonly<Record<string, unknown>>

/** Never throws, never waits: what cannot be written is dropped by the sink, which says so. */
export interface Logger {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** The same log with these fields in every line. */
  with(fields: LogFields): Logger
}

export interface LoggerOptions {
  /** The least that is written. */
  level: LogLevel
  clock: Pick<Clock, 'now'>
  /** Takes secrets out of messages and fields. */
  redact: Redact
  /** Takes one line with its line break. */
  write: (line: string) => void
}

// A line is read by people: what is longer is cut before it is looked through for secrets, which takes time by length.
const LONGEST_TEXT = 8192
const DEEPEST = 6
const MOST_ITEMS = 100

/** Lines of JSON: `time`, `level`, `message` and the fields. Control characters are escaped, so a line does nothing to a terminal. */
export function createLogger({ level, clock, redact, write }: LoggerOptions, fixed: LogFields = {}): Logger {
  const least = LOG_LEVELS.indexOf(level)

  function say(at: LogLevel, message: string, fields: LogFields): void {
    if (LOG_LEVELS.indexOf(at) < least) return
    try {
      const { time: _, level: __, message: ___, ...rest } = { ...fixed, ...fields }
      const line = { time: new Date(clock.now()).toISOString(), level: at, message: plain(message, redact), ...table(rest, redact, 0) }
      write(`${jsonText(line)}\n`)
    } catch (error) {
      // A field that throws when it is read. The message is worth more than the fields.
      write(`${jsonText({ time: new Date(clock.now()).toISOString(), level: at, message: redact(message), problem: problemOf(error) })}\n`)
    }
  }

  return {
    debug: (message, fields = {}) => say('debug', message, fields),
    info: (message, fields = {}) => say('info', message, fields),
    warn: (message, fields = {}) => say('warn', message, fields),
    error: (message, fields = {}) => say('error', message, fields),
    with: (fields) => createLogger({ level, clock, redact, write }, { ...fixed, ...fields }),
  }
}

/** For those that have nobody to tell. */
export const NO_LOG: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  with: () => NO_LOG,
}

function plain(value: unknown, redact: Redact, depth = 0): unknown {
  if (typeof value === 'string') return redact(cut(value))
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Error) return errorText(value, redact)
  if (typeof value !== 'object' || value === null) return typeof value === 'function' || typeof value === 'symbol' ? undefined : value
  if (depth >= DEEPEST) return '[deeper]'
  if (Array.isArray(value)) return value.slice(0, MOST_ITEMS).map((it: unknown) => plain(it, redact, depth + 1))
  return table(value as LogFields, redact, depth + 1)
}

function table(fields: LogFields, redact: Redact, depth: number): Record<string, unknown> {
  const entries = Object.entries(fields).slice(0, MOST_ITEMS)
  return Object.fromEntries(entries.map(([key, it]) => [redact(cut(key)), plain(it, redact, depth)]))
}

/** Where it was thrown matters only for what nobody has foreseen. */
function errorText(error: Error, redact: Redact): string {
  return redact(cut('code' in error ? problemOf(error) : (error.stack ?? problemOf(error))))
}

function cut(text: string): string {
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text
}
