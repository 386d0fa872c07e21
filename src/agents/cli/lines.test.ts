import { describe, expect, it } from 'vitest'
import { splitLines } from './lines.ts'

describe('output as lines', () => {
  it('is the same however it comes in pieces', () => {
    const text = 'one\r\n\ntwo äöü 🙂\nthree'
    for (let size = 1; size <= text.length; size++) {
      const lines = splitLines()
      const found: string[] = []
      for (let at = 0; at < text.length; at += size) found.push(...lines.add(text.slice(at, at + size)))
      expect([...found, ...lines.end()], `pieces of ${size}`).toEqual(['one', '', 'two äöü 🙂', 'three'])
    }
  })

  it('leaves out a line that is too long, counts it, and goes on with the next', () => {
    const lines = splitLines(10)
    const found = ['short\n12345', '678901', '2345\nnext\n', '12345678901'].flatMap((it) => lines.add(it))
    expect([...found, ...lines.end()]).toEqual(['short', 'next'])
    expect(lines.left).toBe(2)
  })

  it('has nothing left after a last line break', () => {
    const lines = splitLines()
    expect([lines.add('a\n'), lines.end(), lines.left]).toEqual([['a'], [], 0])
  })
})
