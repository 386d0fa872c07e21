import { grammarOf } from './languages.ts'
import type { SyntaxProblem } from './symbols/check.ts'
import { type SymbolReader, sharedReader } from './symbols.ts'

/**
 * The first syntax error of a text, null when there is none, when the language is not supported, or when the parser gave up on it (a
 * check that could not run refuses nothing). `path` decides the language. Macros and dialects can look like errors in sound C and C++:
 * compare with the text before an edit rather than refusing every error.
 */
export async function syntaxErrors(path: string, text: string, reader: SymbolReader = sharedReader()): Promise<SyntaxProblem | null> {
  const grammar = grammarOf(path, text)
  if (grammar === undefined) return null
  return reader.thread.check(grammar, text).catch(() => null)
}
