/** Comparisons of lines at most: a huge file against a huge text must not stop the process. */
const MAX_COMPARISONS = 2_000_000
const SHOWN = 120

/** A sentence that says where a text nearly is and in which line it first differs. `normal` makes lines comparable. */
export function nearestPlace(lines: readonly string[], wanted: readonly string[], normal: (line: string) => string): string {
  const missing = 'the text to replace is not in the file'
  const have = lines.map(normal)
  const want = wanted.map(normal)
  if (have.length * want.length > MAX_COMPARISONS)
    return `${missing}; give fewer lines, exactly as they are in the file (read_file shows them).`

  let best = { start: -1, same: 0 }
  for (let start = 1 - want.length; start < have.length; start++) {
    let same = 0
    for (const [offset, line] of want.entries()) if (line !== '' && have[start + offset] === line) same += 1
    if (same > best.same) best = { start, same }
  }
  if (best.start < 0 && best.same === 0) return `${missing}, and no line of it is; read the file again with read_file.`

  const offset = want.findIndex((line, at) => have[best.start + at] !== line)
  if (offset < 0) return `${missing}: near line ${best.start + 1} its lines are there, but with different indentation; copy them exactly.`
  const line = best.start + offset
  const found = lines[line]
  const there = found === undefined ? 'the file has no such line' : `the file has ${quote(found)}`
  const first = Math.max(1, best.start + 1)
  return `${missing}. The nearest place begins at line ${first}; it first differs at line ${line + 1}: ${there}, your text has ${quote(wanted[offset] ?? '')}.`
}

function quote(line: string): string {
  const shown = line.replace(/\r$/, '')
  return `\`${shown.length > SHOWN ? `${shown.slice(0, SHOWN)}…` : shown}\``
}
