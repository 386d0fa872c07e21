import { createHash } from 'node:crypto'
import { problemOf } from '../core/errors.ts'
import type { Grammar } from './language-table.ts'
import { grammarOf } from './languages.ts'
import type { RepoSymbol } from './port.ts'
import type { Outline } from './symbols/outline.ts'
import { type ParserThread, parserThread } from './symbols/parser-thread.ts'

/** Reads outlines and remembers them by the hash of the text. */
export interface SymbolReader {
  /** null when no grammar reads this file; a sentence when the file could not be parsed. */
  outline(path: string, text: string): Promise<Outline | null | { problem: string }>
  thread: ParserThread
  close(): Promise<void>
}

// About 30 KB each: 100 MB at most. Two large maps fit.
const REMEMBERED = 3000

export function symbolReader(thread: ParserThread = parserThread()): SymbolReader {
  const known = new Map<string, Promise<Outline | { problem: string }>>()
  return {
    thread,
    close: () => thread.close(),
    async outline(path, text) {
      const grammar = grammarOf(path, text)
      if (grammar === undefined) return null
      const key = `${grammar}:${createHash('sha256').update(text).digest('base64')}`
      const before = known.get(key)
      if (before) {
        // Moved to the end: the oldest in use is dropped first.
        known.delete(key)
        known.set(key, before)
        return before
      }
      const reading = read(thread, grammar, text)
      known.set(key, reading)
      const oldest = known.keys().next()
      if (known.size > REMEMBERED && !oldest.done) known.delete(oldest.value)
      return reading
    },
  }
}

async function read(thread: ParserThread, grammar: Grammar, text: string): Promise<Outline | { problem: string }> {
  try {
    return await thread.outline(grammar, text)
  } catch (error) {
    return { problem: problemOf(error) }
  }
}

let shared: SymbolReader | undefined

/** The reader of this process: one thread and one memory for all who ask. Started at first use. */
export function sharedReader(): SymbolReader {
  shared ??= symbolReader()
  return shared
}

/** The symbols of one file's text, in the order of the file; [] when its language is not supported or it could not be parsed. */
export async function fileSymbols(path: string, text: string, reader: SymbolReader = sharedReader()): Promise<RepoSymbol[]> {
  const outline = await reader.outline(path, text)
  if (outline === null || 'problem' in outline) return []
  return outline.symbols.map((it) => ({ ...it, file: path }))
}
