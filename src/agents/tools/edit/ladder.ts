import { nearestPlace } from './nearest.ts'

/** Thousands of lines that are alike, against a file of such lines: what takes more than this is not searched. */
const MAX_COMPARISONS = 5_000_000

/** How a text was found, from strict to lenient. Nothing beyond these four is ever applied. */
export type Rung = 'exact' | 'line ends' | 'indentation' | 'punctuation'
export type Replaced = { ok: true; text: string; rung: Rung; line: number; count: number } | { ok: false; problem: string }

export interface ReplaceOptions {
  /** Replace every exact occurrence. */
  all?: boolean
  /** Line (from 1) that decides between several places. */
  atLine?: number
  /** Only places after this line (from 1). */
  afterLine?: number
}

/**
 * Replaces one place of a text. Rungs: exact; then whole lines without regard to line ends and trailing blanks; then with one
 * indentation added or taken off everywhere; then with typographic punctuation read as plain. A rung counts only with exactly one place.
 */
export function replaceOnce(text: string, old: string, replacement: string, options: ReplaceOptions = {}): Replaced {
  if (old === '')
    return { ok: false, problem: 'the text to replace is empty; give the lines to replace, or use write_file for a whole new file.' }
  if (old === replacement) return { ok: false, problem: 'the old and the new text are the same; nothing would change.' }
  const exact = replaceExact(text, old, replacement, options)
  if (exact) return exact

  const file = splitLines(text)
  const wanted = wholeLines(old)
  for (const [rung, view] of RUNGS) {
    const places = findPlaces(file.lines.map(view), wanted.map(view)).filter((it) => it.start + 1 > (options.afterLine ?? 0))
    const chosen = places.length > 1 ? places.filter((it) => it.start + 1 === options.atLine) : places
    if (places.length > 1 && chosen.length !== 1) return { ok: false, problem: severalPlaces(places.map((it) => it.start + 1)) }
    const [place] = chosen
    if (place) return { ok: true, text: put(file, wanted, wholeLines(replacement), place, rung), rung, line: place.start + 1, count: 1 }
  }
  return { ok: false, problem: nearestPlace(file.lines, wanted, (it) => plain(it.trim())) }
}

function replaceExact(text: string, old: string, replacement: string, options: ReplaceOptions): Replaced | null {
  const from = offsetAfterLine(text, options.afterLine ?? 0)
  const places = exactPlaces(text, old, from)
  const [first] = places
  if (first === undefined) return null

  const insert = eolOf(text) === '\r\n' ? replacement.replaceAll(/\r?\n/g, '\r\n') : replacement
  if (options.all) {
    const pieces = text.slice(from).split(old)
    return { ok: true, text: text.slice(0, from) + pieces.join(insert), rung: 'exact', line: first.line, count: pieces.length - 1 }
  }
  const chosen = places.length > 1 ? places.filter((it) => it.line === options.atLine) : places
  const [one] = chosen
  if (chosen.length !== 1 || one === undefined) return { ok: false, problem: severalPlaces(places.map((it) => it.line)) }
  return { ok: true, text: text.slice(0, one.at) + insert + text.slice(one.at + old.length), rung: 'exact', line: one.line, count: 1 }
}

/** Where a text occurs, with the line of each (from 1), in one walk: a large file of small lines has very many places. */
function exactPlaces(text: string, old: string, from: number): { at: number; line: number }[] {
  const places: { at: number; line: number }[] = []
  let line = 1
  let counted = 0
  for (let at = text.indexOf(old, from); at >= 0 && places.length < 10_000; at = text.indexOf(old, at + 1)) {
    for (let next = text.indexOf('\n', counted); next >= 0 && next < at; next = text.indexOf('\n', counted)) {
      line += 1
      counted = next + 1
    }
    places.push({ at, line })
  }
  return places
}

function offsetAfterLine(text: string, line: number): number {
  let at = 0
  for (let n = 0; n < line; n++) {
    const next = text.indexOf('\n', at)
    if (next < 0) return text.length
    at = next + 1
  }
  return at
}

function severalPlaces(lines: readonly number[]): string {
  const shown = lines.slice(0, 8).join(', ')
  return `the text to replace occurs ${lines.length} times (lines ${shown}${lines.length > 8 ? ', …' : ''}); give more lines around it.`
}

interface Lines {
  lines: string[]
  eol: string
}

function eolOf(text: string): string {
  const at = text.indexOf('\n')
  return at > 0 && text[at - 1] === '\r' ? '\r\n' : '\n'
}

function splitLines(text: string): Lines {
  return { lines: text.split('\n'), eol: eolOf(text) }
}

/** The lines of a piece of text; one final line end is no line of its own. */
function wholeLines(text: string): string[] {
  const lines = text.replaceAll('\r\n', '\n').split('\n')
  if (lines.length > 1 && lines.at(-1) === '') lines.pop()
  return lines.length === 1 && lines[0] === '' ? [] : lines
}

/** What of a line a rung compares. `indent` null: it is part of the key, or does not count. */
interface View {
  key: string
  indent: string | null
  blank: boolean
}

const RUNGS: [Rung, (line: string) => View][] = [
  ['line ends', (line) => viewOf(line.trimEnd(), null)],
  ['indentation', (line) => viewOf(line.trim(), /^[ \t]*/.exec(line)?.[0] ?? '')],
  ['punctuation', (line) => viewOf(plain(line.trimEnd()), null)],
]

function viewOf(key: string, indent: string | null): View {
  return { key, indent, blank: key === '' }
}

/** `delta`: indentation that the file has more (`+…`) or less (`-…`) than the wanted lines, '' for none. */
interface Place {
  start: number
  delta: string
}

function findPlaces(lines: readonly View[], wanted: readonly View[]): Place[] {
  const places: Place[] = []
  if (wanted.every((it) => it.blank)) return places
  // Most texts that do not fit have a line that is nowhere: that is known without trying each place.
  const keys = new Set(lines.map((it) => it.key))
  if (wanted.some((it) => !keys.has(it.key))) return places
  const left = { comparisons: MAX_COMPARISONS }
  for (let start = 0; start + wanted.length <= lines.length && places.length < 1000; start++) {
    const delta = deltaAt(lines, wanted, start, left)
    // Not all was looked at: a place that was found may not be the only one.
    if (left.comparisons <= 0) return []
    if (delta !== null) places.push({ start, delta })
  }
  return places
}

function deltaAt(lines: readonly View[], wanted: readonly View[], start: number, left: { comparisons: number }): string | null {
  let delta: string | null = null
  for (const [offset, want] of wanted.entries()) {
    left.comparisons -= 1
    const have = lines[start + offset]
    if (have?.key !== want.key) return null
    if (want.blank) continue
    const found = indentDelta(have.indent ?? '', want.indent ?? '')
    if (found === null || (delta !== null && found !== delta)) return null
    delta = found
  }
  return delta
}

function indentDelta(there: string, given: string): string | null {
  if (there.endsWith(given)) return `+${there.slice(0, there.length - given.length)}`
  return given.endsWith(there) ? `-${given.slice(0, given.length - there.length)}` : null
}

/** Puts the new lines in. A line that the edit did not mean to change stays as the file has it, with its blanks and quotes. */
function put(file: Lines, wanted: readonly string[], replacement: readonly string[], place: Place, rung: Rung): string {
  const same = new Map(wanted.map((it, at) => [it, file.lines[place.start + at] ?? '']))
  const carriage = file.eol === '\r\n' ? '\r' : ''
  const fresh = replacement.map((it) => {
    const kept = same.get(it)
    if (kept !== undefined) return kept
    return (rung === 'indentation' ? shift(it, place.delta) : it) + carriage
  })
  const end = place.start + wanted.length
  // The last line of a file without a final line end carries no carriage return.
  const atEnd = end === file.lines.length
  if (atEnd && carriage !== '' && fresh.length > 0) fresh.push((fresh.pop() ?? '').replace(/\r$/, ''))
  return [...file.lines.slice(0, place.start), ...fresh, ...file.lines.slice(end)].join('\n')
}

function shift(line: string, delta: string): string {
  if (line.trim() === '') return line
  const amount = delta.slice(1)
  if (delta.startsWith('+')) return amount + line
  return line.startsWith(amount) ? line.slice(amount.length) : line.trimStart()
}

/** Typographic punctuation as plain ASCII; one character for one. */
function plain(text: string): string {
  if (!/[\u0080-\uFFFF]/.test(text)) return text
  return text
    .replaceAll(/[\u2018\u2019\u201A\u201B\u2032]/g, "'")
    .replaceAll(/[\u201C\u201D\u201E\u201F\u2033]/g, '"')
    .replaceAll(/[\u2010-\u2015\u2212]/g, '-')
    .replaceAll(/[\u00A0\u2002-\u200A\u202F\u205F\u3000]/g, ' ')
    .replaceAll('\u2026', '...')
}
