/** Cuts the middle out of a long text, on line ends where there are some, and says how much is gone. */
export function capText(text: string, max: number): string {
  if (text.length <= max) return text
  const half = Math.floor(max / 2)
  const head = backToLine(text.slice(0, half))
  const tail = onToLine(text.slice(text.length - half))
  const dropped = text.length - head.length - tail.length
  return `${head}\n[... ${dropped} characters left out ...]\n${tail}`
}

function backToLine(text: string): string {
  const at = text.lastIndexOf('\n')
  return at > text.length / 2 ? text.slice(0, at) : wholeChars(text)
}

function onToLine(text: string): string {
  const at = text.indexOf('\n')
  return at >= 0 && at < text.length / 2 ? text.slice(at + 1) : wholeChars(text)
}

/** Half of a surrogate pair at the cut is no character. */
function wholeChars(text: string): string {
  return text.replace(/^[\uDC00-\uDFFF]/, '').replace(/[\uD800-\uDBFF]$/, '')
}

/** The first line of a text, shortened, for people. */
export function firstLine(text: string, max = 160): string {
  const [line = ''] = text.trim().split('\n')
  return line.length > max ? `${line.slice(0, max - 1)}…` : line
}
