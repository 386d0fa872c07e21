import { createTwoFilesPatch } from 'diff'
import { describe, expect, it } from 'vitest'
import { applyHunks } from '../apply-patch.ts'
import { replaceOnce } from './ladder.ts'
import { parsePatch } from './patch.ts'

/** Numbers that look random and are the same each time. */
function dice(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let it = Math.imul(state ^ (state >>> 15), 1 | state)
    it = (it + Math.imul(it ^ (it >>> 7), 61 | it)) ^ it
    return ((it ^ (it >>> 14)) >>> 0) % below
  }
}

// Few different lines: what occurs several times is what goes wrong.
const LINES = ['a', '  b', '\tc', '}', '', 'x = 1', 'y “q”', 'z  ']

describe('a patch made by diff', () => {
  it('gives exactly the new text, whatever repeats in the old one', () => {
    const roll = dice(7)
    for (let round = 0; round < 1500; round++) {
      const lines = Array.from({ length: 3 + roll(12) }, () => LINES[roll(LINES.length)] ?? '')
      const changed = lines.toSpliced(roll(lines.length), roll(3), 'fresh', 'more')
      const [before, after] = [lines, changed].map((it) => `${it.join('\n')}\n`)
      const parsed = parsePatch(createTwoFilesPatch('a/f', 'b/f', before ?? '', after ?? '', '', ''))
      const [file] = parsed.ok ? parsed.files : []
      expect(file).toMatchObject({ kind: 'update', path: 'f', moveTo: null })
      const applied = file?.kind === 'update' ? applyHunks(before ?? '', file.hunks) : null
      expect(applied, JSON.stringify({ before, after })).toEqual({ ok: true, text: after })
    }
  })
})

describe('overlapping places', () => {
  it('are several, so nothing is replaced', () => {
    expect(replaceOnce('a\na\na\n', 'a\na\n', 'b\n')).toEqual({
      ok: false,
      problem: 'the text to replace occurs 2 times (lines 1, 2); give more lines around it.',
    })
  })
})
