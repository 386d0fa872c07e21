/** Text from outside is made harmless before it is measured, cut and painted. */
export { oneLine, visible as safe } from '../core/hostile-text.ts'

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
