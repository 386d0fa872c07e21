import { GRAMMARS, type Grammar, LANGUAGES, type Language } from './language-table.ts'

const BY_EXTENSION = new Map(LANGUAGES.flatMap((it) => it.extensions.map((extension) => [extension, it] as const)))
const BY_NAME = new Map(LANGUAGES.flatMap((it) => (it.names ?? []).map((name) => [name, it] as const)))
const BY_PROGRAM = new Map(LANGUAGES.flatMap((it) => (it.programs ?? []).map((program) => [program, it] as const)))
const CPP = BY_EXTENSION.get('cpp')

// What no C header has outside its comments, at the start of a line.
const CPP_HEADER = /^[ \t]*(?:class\s+\w+[^;]*$|namespace\b|template\s*<|using\s+\w|public:|private:|protected:|#include\s+<[a-z_]+>)/m

/**
 * The language of a file by its name, else by the `#!` line of its text, undefined when unknown. `text` also tells C++ headers from C
 * headers. Only the first 64 KiB are looked at.
 */
export function languageOf(path: string, text = ''): Language | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase()
  const head = text.length > 65_536 ? text.slice(0, 65_536) : text
  if (name.endsWith('.h') && CPP_HEADER.test(head)) return CPP
  const known =
    BY_NAME.get(name) ?? BY_NAME.get(name.split('.')[0] === 'dockerfile' ? 'dockerfile' : '') ?? BY_EXTENSION.get(extensionOf(name))
  return known ?? byShebang(head)
}

/** The grammar that can read a file, undefined when there is none. */
export function grammarOf(path: string, text = ''): Grammar | undefined {
  const grammar = languageOf(path, text)?.grammar
  return grammar !== undefined && GRAMMARS.includes(grammar) ? grammar : undefined
}

/** The part behind the last dot, in lower case; '' without one, and for names such as `.gitignore`. */
export function extensionOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase()
  const dot = name.lastIndexOf('.')
  return dot <= 0 ? '' : name.slice(dot + 1)
}

function byShebang(text: string): Language | undefined {
  const line = /^#!\s*(\S+)([^\n]*)/.exec(text)
  if (!line) return undefined
  const program = basename(line[1] ?? '')
  if (program !== 'env') return byProgram(program)
  // `env -S node --flag`, `env VAR=1 python3`: the first word that is neither a flag nor an assignment.
  const word = (line[2] ?? '').split(/\s+/).find((it) => it !== '' && !it.startsWith('-') && !it.includes('='))
  return byProgram(basename(word ?? ''))
}

function byProgram(program: string): Language | undefined {
  const name = program.toLowerCase()
  return BY_PROGRAM.get(name) ?? BY_PROGRAM.get(name.replace(/[\d.]+$/, ''))
}

function basename(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
