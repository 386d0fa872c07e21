/**
 * The line of every key of a TOML text, by its dotted path. The parser gives positions for broken files only; this reads the lines of a file
 * that has parsed. A key inside an inline table has the line of the table.
 */
export function keyLines(toml: string): Map<string, number> {
  const lines = new Map<string, number>()
  let table: string[] = []
  let open: Open | null = null
  for (const [at, line] of toml.split('\n').entries()) {
    if (open) {
      open = stillOpen(line, open)
      continue
    }
    // No pattern here may have two ways to read the same blanks: a line of many would take minutes.
    const text = line.trim()
    const header = /^\[\[?([^\]]+)\]\]?[ \t]*(?:#.*)?$/.exec(text)
    if (header) {
      table = splitKey(header[1] ?? '')
      note(lines, table, at + 1)
      continue
    }
    const assignment = /^((?:"(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_.\- \t])+)=(.*)$/.exec(text)
    if (!assignment) continue
    note(lines, [...table, ...splitKey(assignment[1] ?? '')], at + 1)
    open = stillOpen(assignment[2] ?? '', { quote: null, depth: 0 })
  }
  return lines
}

/** What is not closed at the end of a line: a string of several lines, brackets. */
interface Open {
  quote: '"""' | "'''" | null
  depth: number
}

function stillOpen(text: string, before: Open): Open | null {
  let { quote, depth } = before
  let at = 0
  while (at < text.length) {
    const three = text.slice(at, at + 3)
    if (quote) {
      if (quote === '"""' && text[at] === '\\') at += 2
      else if (three === quote) {
        quote = null
        at += 3
      } else at += 1
      continue
    }
    if (three === '"""' || three === "'''") {
      quote = three
      at += 3
      continue
    }
    const character = text[at]
    if (character === '#') break
    if (character === '"' || character === "'") {
      at = endOfString(text, at, character)
      continue
    }
    if (character === '[' || character === '{') depth += 1
    if (character === ']' || character === '}') depth -= 1
    at += 1
  }
  return quote || depth > 0 ? { quote, depth } : null
}

function endOfString(text: string, start: number, quote: string): number {
  let at = start + 1
  while (at < text.length && text[at] !== quote) at += quote === '"' && text[at] === '\\' ? 2 : 1
  return at + 1
}

/** Each table on the way gets its first line too, so that a problem with a whole section has a place. */
function note(lines: Map<string, number>, path: readonly string[], line: number): void {
  for (let length = 1; length <= path.length; length++) {
    const key = path.slice(0, length).join('.')
    if (!lines.has(key)) lines.set(key, line)
  }
}

/** `a."b.c".d` -> `a`, `b.c`, `d`. */
function splitKey(key: string): string[] {
  return [...key.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|([A-Za-z0-9_-]+)/g)].map((it) => it[1] ?? it[2] ?? it[3] ?? '')
}
