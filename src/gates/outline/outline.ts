import { assertionsIn } from './assertions.ts'
import { bracedTests } from './braced.ts'
import { javascriptTests } from './javascript.ts'
import { type Lexis, maskSource } from './mask.ts'
import { pythonTests } from './python.ts'
import { rubyTests } from './ruby.ts'
import type { TestOutline } from './test-outline.ts'

export type Language = 'js' | 'python' | 'go' | 'rust' | 'java' | 'cpp' | 'ruby' | 'elixir'

const LANGUAGES: readonly [RegExp, Language][] = [
  [/\.(?:[cm]?[jt]s|[jt]sx)$/, 'js'],
  [/\.py$/, 'python'],
  [/\.go$/, 'go'],
  [/\.rs$/, 'rust'],
  [/\.(?:java|kt|scala|groovy|cs)$/, 'java'],
  [/\.(?:c|cc|cpp|cxx|h|hh|hpp|hxx)$/, 'cpp'],
  [/\.rb$/, 'ruby'],
  [/\.exs?$/, 'elixir'],
]

// A larger one is generated; reading it must not hold up everything else.
const MAX_TEXT = 128 * 1024

export function languageOf(path: string): Language | null {
  return LANGUAGES.find(([pattern]) => pattern.test(path))?.[1] ?? null
}

/** The tests of a file; null for languages that are not read. A file whose code cannot be understood gives what could be found. */
export function outlineTests(path: string, text: string): TestOutline[] | null {
  const language = languageOf(path)
  if (language === null || text.length > MAX_TEXT) return null
  if (language === 'js') return javascriptTests(text)
  if (language === 'python') return pythonTests(text)
  if (language === 'ruby' || language === 'elixir') return rubyTests(text, language)
  return bracedTests(text, language)
}

const LEXIS: Readonly<Record<Language, Lexis>> = {
  js: 'js',
  python: 'python',
  go: 'c',
  rust: 'rust',
  java: 'c',
  cpp: 'c',
  ruby: 'ruby',
  elixir: 'python',
}

/** A file of tests that are no framework's: a program that checks and exits. It counts as one test when it asserts something. */
export function wholeFileTest(path: string, text: string): TestOutline[] {
  const language = languageOf(path)
  if (language === null || text.length > MAX_TEXT) return []
  const assertions = assertionsIn(text, maskSource(text, LEXIS[language]), language)
  const title = path.slice(path.lastIndexOf('/') + 1)
  const endLine = text.split('\n').length
  return assertions.length === 0 ? [] : [{ name: title, title, line: 1, endLine, text, skipped: false, only: false, assertions }]
}
