/** How a language writes comments and strings, as far as finding tests needs it. */
export type Lexis = 'js' | 'c' | 'rust' | 'python' | 'ruby'

/**
 * The text with comments and the insides of strings as blanks, same length, same lines: brackets and words that are left are code. Quotes stay,
 * so that the place of a string can be found.
 */
export function maskSource(text: string, lexis: Lexis): string {
  const out = text.split('')
  let at = 0
  const blank = (from: number, to: number): void => {
    for (let i = from; i < to && i < out.length; i++) if (out[i] !== '\n') out[i] = ' '
  }
  while (at < text.length) {
    const comment = commentAt(text, at, lexis)
    if (comment > at) {
      blank(at, comment)
      at = comment
      continue
    }
    const string = stringAt(text, at, lexis)
    if (string) {
      blank(at + string.quote, string.end - string.quote)
      at = string.end
      continue
    }
    if (lexis === 'js' && text[at] === '/' && regexMayStart(out, at)) {
      const end = regexEnd(text, at)
      blank(at + 1, end - 1)
      at = end
      continue
    }
    at += 1
  }
  return out.join('')
}

/** End of the comment that starts here, or `at` when none does. */
function commentAt(text: string, at: number, lexis: Lexis): number {
  const hash = lexis === 'python' || lexis === 'ruby'
  if (hash && text[at] === '#') return lineEnd(text, at)
  if (hash) return at
  if (text.startsWith('//', at)) return lineEnd(text, at)
  if (!text.startsWith('/*', at)) return at
  const end = text.indexOf('*/', at + 2)
  return end === -1 ? text.length : end + 2
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at)
  return end === -1 ? text.length : end
}

function stringAt(text: string, at: number, lexis: Lexis): { quote: number; end: number } | null {
  const char = text[at]
  if (lexis !== 'js' && (text.startsWith('"""', at) || (lexis === 'python' && text.startsWith("'''", at)))) {
    const end = text.indexOf(text.slice(at, at + 3), at + 3)
    return { quote: 3, end: end === -1 ? text.length : end + 3 }
  }
  if (char === '`' && lexis === 'js') return { quote: 1, end: templateEnd(text, at) }
  if (char === '`' && lexis === 'c') {
    const end = text.indexOf('`', at + 1)
    return { quote: 1, end: end === -1 ? text.length : end + 1 }
  }
  if (char === '"') return { quote: 1, end: quotedEnd(text, at, lexis === 'rust' || lexis === 'ruby' || lexis === 'python') }
  if (char !== "'") return null
  // Rust's lifetimes and C++'s digit separators are no strings.
  if (lexis === 'rust' && !/^'(?:\\.[^']*|[^'\\])'/.test(text.slice(at, at + 12))) return null
  if (lexis === 'c' && /[0-9a-fA-F]/.test(text[at - 1] ?? '') && /[0-9a-fA-F]/.test(text[at + 1] ?? '')) return null
  return { quote: 1, end: quotedEnd(text, at, lexis === 'ruby') }
}

/** Strings end at their quote; where the language has no strings over several lines, at the line's end. */
function quotedEnd(text: string, at: number, multiline: boolean): number {
  for (let i = at + 1; i < text.length; i++) {
    if (text[i] === '\\') {
      i += 1
      continue
    }
    if (text[i] === text[at]) return i + 1
    if (text[i] === '\n' && !multiline) return i
  }
  return text.length
}

function templateEnd(text: string, at: number): number {
  let depth = 0
  for (let i = at + 1; i < text.length; i++) {
    if (text[i] === '\\') {
      i += 1
      continue
    }
    if (depth === 0 && text[i] === '`') return i + 1
    if (text.startsWith('${', i)) depth += 1
    if (text[i] === '}' && depth > 0) depth -= 1
  }
  return text.length
}

/** After these a slash begins a regular expression, not a division. */
function regexMayStart(out: readonly string[], at: number): boolean {
  let i = at - 1
  while (i >= 0 && /\s/.test(out[i] ?? '')) i -= 1
  if (i < 0) return true
  if (/[([{,;=:!&|?+*%<>~^-]/.test(out[i] ?? '')) return true
  return /\b(?:return|typeof|case|in|of)$/.test(out.slice(Math.max(0, i - 8), i + 1).join(''))
}

function regexEnd(text: string, at: number): number {
  let inClass = false
  for (let i = at + 1; i < text.length; i++) {
    if (text[i] === '\n') return at + 1
    if (text[i] === '\\') {
      i += 1
      continue
    }
    if (text[i] === '[') inClass = true
    if (text[i] === ']') inClass = false
    if (text[i] === '/' && !inClass) return i + 1
  }
  return at + 1
}

const CLOSING: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' }

/** For a masked text: place of an opening bracket -> index after the one that closes it; the text's end when none does. One pass for all. */
export function bracketsOf(masked: string): (at: number) => number {
  const ends = new Map<number, number>()
  const stack: { at: number; close: string }[] = []
  for (let i = 0; i < masked.length; i++) {
    const char = masked[i] ?? ''
    const close = CLOSING[char]
    if (close !== undefined) stack.push({ at: i, close })
    const last = stack.at(-1)
    if (last && char === last.close) {
      ends.set(last.at, i + 1)
      stack.pop()
    }
  }
  return (at) => ends.get(at) ?? masked.length
}

/** Index after the bracket that closes the one at `at`. For a single question; several are answered by `bracketsOf`. */
export function closingAfter(masked: string, at: number): number {
  return at + bracketsOf(masked.slice(at))(0)
}

/** Place in a text -> its line, from 1. */
export function linesOf(text: string): (at: number) => number {
  const starts = [0, ...[...text.matchAll(/\n/g)].map((it) => it.index + 1)]
  return (at) => {
    let [low, high] = [0, starts.length]
    while (low + 1 < high) {
      const middle = (low + high) >> 1
      if ((starts[middle] ?? 0) <= at) low = middle
      else high = middle
    }
    return low + 1
  }
}
