/** A word of a command line. `glob`: it held an unquoted `*`, `?` or `[`, which a shell expands. */
export interface Word {
  text: string
  glob: boolean
}

/** One simple command: assignments in front, then the words. */
export interface SimpleCommand {
  env: Readonly<Record<string, string>>
  words: readonly Word[]
}

const ASSIGNMENT = /^([A-Za-z_][A-Za-z0-9_]*)=([\s\S]*)$/
/** What only a shell can do: pipes, lists, redirections, substitutions, groups, comments, home folders. */
const SHELL_ONLY = /[|&;<>()$`{}#!~\n\r]/

interface Scan {
  parts: Word[][]
  words: Word[]
  /** null between words. */
  word: Word | null
}

function endWord(scan: Scan): void {
  if (scan.word) scan.words.push(scan.word)
  scan.word = null
}

/** Splits at blanks and `&&`, honouring quotes. null when a shell is needed to understand the line. */
function split(line: string): Word[][] | null {
  const scan: Scan = { parts: [], words: [], word: null }
  for (let at = 0; at < line.length; at++) {
    const char = line[at] ?? ''
    if (char === ' ' || char === '\t') {
      endWord(scan)
    } else if (char === '&' && line[at + 1] === '&' && line[at + 2] !== '&') {
      endWord(scan)
      scan.parts.push(scan.words)
      scan.words = []
      at++
    } else if (char === "'" || char === '"') {
      const end = line.indexOf(char, at + 1)
      if (end < 0) return null
      const inner = line.slice(at + 1, end)
      // Escapes and substitutions inside double quotes need a shell.
      if (char === '"' && /[\\$`!]/.test(inner)) return null
      scan.word = { text: (scan.word?.text ?? '') + inner, glob: scan.word?.glob ?? false }
      at = end
    } else if (char === '\\') {
      return null
    } else if (SHELL_ONLY.test(char)) {
      return null
    } else {
      const glob = char === '*' || char === '?' || char === '['
      scan.word = { text: (scan.word?.text ?? '') + char, glob: (scan.word?.glob ?? false) || glob }
    }
  }
  endWord(scan)
  return [...scan.parts, scan.words]
}

function withoutAssignments(words: readonly Word[]): SimpleCommand | null {
  const env: Record<string, string> = {}
  let at = words[0]?.text === 'cross-env' ? 1 : 0
  for (; at < words.length; at++) {
    const found = ASSIGNMENT.exec(words[at]?.text ?? '')
    if (!found) break
    env[found[1] ?? ''] = found[2] ?? ''
  }
  return at < words.length ? { env, words: words.slice(at) } : null
}

/**
 * A command line as simple commands joined by `&&`, or null when it needs a shell (pipes, redirections, variables, escapes) or is empty.
 * Never guesses: what it does not understand completely, it refuses.
 */
export function simpleCommands(line: string): SimpleCommand[] | null {
  const parts = split(line.trim())
  if (!parts) return null
  const commands = parts.map(withoutAssignments)
  return commands.every((it) => it !== null) ? commands : null
}

/** Words that are no options. `valued`: options whose value is the next word when it is not joined by "=". */
export function positionals(words: readonly Word[], valued: readonly string[]): Word[] {
  const found: Word[] = []
  for (let at = 0; at < words.length; at++) {
    const word = words[at]
    if (!word) continue
    if (word.text === '--') continue
    if (word.text.startsWith('-')) {
      if (valued.includes(word.text)) at++
    } else found.push(word)
  }
  return found
}

/** The words without these options. `valued` ones lose their value too; both `--name value` and `--name=value` are meant. */
export function withoutOptions(words: readonly Word[], options: { flags?: readonly string[]; valued?: readonly string[] }): Word[] {
  const kept: Word[] = []
  for (let at = 0; at < words.length; at++) {
    const word = words[at]
    if (!word) continue
    const name = word.text.split('=', 1)[0] ?? ''
    if (options.flags?.includes(name)) continue
    if (options.valued?.some((it) => name === it || name.startsWith(`${it}.`))) {
      if (!word.text.includes('=')) at++
      continue
    }
    kept.push(word)
  }
  return kept
}
