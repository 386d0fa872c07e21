/** What may be left out of a goal when a model is small: maps, patches and logs stand in fences, what is to be done does not. */
interface Block {
  fence: string | null
  lines: string[]
}

const OPEN = /^(`{3,})[^`]*$/

/**
 * The Markdown with its longest fenced blocks cut at their ends, so that it has at most `most` characters, as far as that goes. Each cut says in its
 * place how many lines are missing; `left` is how many in all.
 */
export function shortenFences(markdown: string, most: number): { text: string; left: number } {
  const blocks = blocksOf(markdown)
  const missing = blocks.map(() => 0)
  for (let over = markdown.length - most; over > 0; ) {
    const longest = blocks.reduce<number>((best, it, at) => (it.fence !== null && sizeOf(it) > sizeOf(blocks[best]) ? at : best), -1)
    const block = blocks[longest]
    if (!block || block.lines.length === 0) break
    // The longest gives up to a third of itself, then it may be another one's turn.
    let take = Math.max(1, Math.min(over, Math.ceil(sizeOf(block) / 3)))
    while (take > 0 && block.lines.length > 0) {
      const line = block.lines.pop() ?? ''
      take -= line.length + 1
      over -= line.length + 1
      missing[longest] = (missing[longest] ?? 0) + 1
    }
  }
  const text = blocks.flatMap((it, at) => written(it, missing[at] ?? 0)).join('\n')
  return { text, left: missing.reduce((sum, it) => sum + it, 0) }
}

/** What stands outside of fences. */
export function outsideFences(markdown: string): string {
  return blocksOf(markdown)
    .filter((it) => it.fence === null)
    .flatMap((it) => it.lines)
    .join('\n')
}

function sizeOf(block: Block | undefined): number {
  return block?.fence == null ? 0 : block.lines.reduce((sum, it) => sum + it.length + 1, 0)
}

function written({ fence, lines }: Block, missing: number): string[] {
  if (fence === null) return lines
  const note = missing === 0 ? [] : [`[... ${missing} lines left out here, for lack of room]`]
  return [fence, ...lines, ...note, /^`+/.exec(fence)?.[0] ?? '```']
}

function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = [{ fence: null, lines: [] }]
  let ticks: string | null = null
  for (const line of markdown.split('\n')) {
    if (ticks !== null && line.trim() === ticks) {
      ticks = null
      blocks.push({ fence: null, lines: [] })
      continue
    }
    const open: string | undefined = ticks === null ? OPEN.exec(line)?.[1] : undefined
    if (open === undefined) blocks.at(-1)?.lines.push(line)
    else {
      ticks = open
      blocks.push({ fence: line, lines: [] })
    }
  }
  return blocks
}
