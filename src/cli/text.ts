/**
 * Text from outside (agents, programs, files) made harmless for a terminal: no escape sequences, no control characters, none of the Unicode
 * marks that reorder or hide what a person reads. What was there is shown as `\x1b` or `\u202e`, not dropped in silence.
 */

// C0 without tab and line feed, DEL, C1.
// oxlint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/g
// Bidirectional marks, embeddings, overrides and isolates; zero-width characters; line and paragraph separators; tags.
const MARKS = /[\u061C\u200B\u200E\u200F\u2028-\u202E\u2060-\u2064\u2066-\u206F\uFEFF\u{E0000}-\u{E007F}]/gu

/** Harmless text that may have several lines. */
export function safe(text: string): string {
  return text.replaceAll('\r\n', '\n').replaceAll(CONTROLS, escaped).replaceAll(MARKS, escaped)
}

/** Harmless text on one line; line breaks and runs of blanks become one space. */
export function oneLine(text: string): string {
  return safe(text.replaceAll(/\s+/g, ' ').trim())
}

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, '0')}`
  return code <= 0xffff ? `\\u${code.toString(16).padStart(4, '0')}` : `\\u{${code.toString(16)}}`
}

const SEGMENTS = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
// East Asian wide and full-width characters and emoji take two columns.
const WIDE =
  /^(?:\p{Extended_Pictographic}|[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]|[\u{1F300}-\u{1FAFF}]|[\u{20000}-\u{3FFFD}])/u

/** Columns a text without escapes takes on a terminal. */
export function width(text: string): number {
  let columns = 0
  for (const { segment } of SEGMENTS.segment(text)) columns += isWide(segment) ? 2 : 1
  return columns
}

/** Some marks such as © or ✔ are pictographs that terminals draw in one column unless they are told otherwise. */
function isWide(segment: string): boolean {
  if (segment.length === 1 && segment < '\u2E80') return segment >= '\u1100' && segment <= '\u115F'
  return WIDE.test(segment)
}

/** A text cut to so many columns, with `…` where something is missing. */
export function fit(text: string, columns: number): string {
  if (width(text) <= columns) return text
  let used = 0
  let kept = ''
  for (const { segment } of SEGMENTS.segment(text)) {
    const more = isWide(segment) ? 2 : 1
    if (used + more > columns - 1) break
    used += more
    kept += segment
  }
  return columns > 0 ? `${kept}…` : ''
}

/** Filled up with blanks to so many columns, cut where it is longer. */
export function pad(text: string, columns: number, side: 'left' | 'right' = 'left'): string {
  const cut = fit(text, columns)
  const blanks = ' '.repeat(Math.max(0, columns - width(cut)))
  return side === 'left' ? cut + blanks : blanks + cut
}

/** Rows as a table: columns as wide as their content, the named one cut where the line would be too long. No colour: paint the cells after. */
export function table(rows: readonly (readonly string[])[], columns: number, flexible: number): string[] {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => width(row[at] ?? ''))))
  const gaps = 2 * Math.max(0, widths.length - 1)
  const total = widths.reduce((sum, it) => sum + it, gaps)
  if (total > columns) widths[flexible] = Math.max(8, (widths[flexible] ?? 0) - (total - columns))
  return rows.map((row) =>
    row
      .map((cell, at) => (at === row.length - 1 ? fit(cell, widths[at] ?? 0) : pad(cell, widths[at] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
}
