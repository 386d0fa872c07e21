/** No event of use is longer; a file that a tool has read whole is. */
const LONGEST_LINE = 8 * 1024 * 1024

export interface Lines {
  /** The lines that a piece of output completes. */
  add(text: string): string[]
  /** What stands after the last line break, where anything does. */
  end(): string[]
  /** Lines that were too long, and so left out. */
  readonly left: number
}

/** Output in pieces as lines, in bounded memory. A line that is too long is left out whole: half of it would be no JSON. */
export function splitLines(longest: number = LONGEST_LINE): Lines {
  let parts: string[] = []
  let length = 0
  let left = 0
  const take = (): string[] => {
    const line = length > longest ? null : parts.join('')
    if (line === null) left += 1
    parts = []
    length = 0
    return line === null ? [] : [line.endsWith('\r') ? line.slice(0, -1) : line]
  }
  const keep = (piece: string): void => {
    length += piece.length
    if (length > longest) parts = []
    else if (piece !== '') parts.push(piece)
  }
  return {
    add(text) {
      const lines: string[] = []
      let from = 0
      for (let to = text.indexOf('\n'); to >= 0; to = text.indexOf('\n', from)) {
        keep(text.slice(from, to))
        lines.push(...take())
        from = to + 1
      }
      keep(text.slice(from))
      return lines
    },
    end: () => (length === 0 ? [] : take()),
    get left() {
      return left
    },
  }
}
