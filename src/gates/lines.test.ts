import { describe, expect, it } from 'vitest'
import { compareLines, likeness, lineChanges } from './lines.ts'

const text = (word: string) => Array.from({ length: 20_000 }, (_, at) => `${word} ${at}`).join('\n')

describe('comparing lines', () => {
  it('says which lines are new and where the others were', () => {
    const { changed, before } = compareLines('a\nb\nc\n', 'new\na\nB\nc\n')
    expect(changed).toEqual([1, 3])
    expect([...before]).toEqual([
      [2, 1],
      [4, 3],
    ])
  })
  it('calls every line of a new file new', () => expect(compareLines(null, 'a\nb\n').changed).toEqual([1, 2]))
  it('does not count line ends', () => expect(compareLines('a\r\nb\r\n', 'a\nb').changed).toEqual([]))
  it('says what came and what went', () => expect(lineChanges('a\nb\n', 'a\nc\n')).toEqual({ added: ['c'], removed: ['b'] }))
  it('ends with a rewrite of a large file', () => {
    expect(compareLines(text('a'), text('b')).changed).toHaveLength(20_000)
  })
  it.each([
    ['a\nb', 'a\nb', 1],
    ['a\nb', 'a\nc', 0.5],
    ['a', 'b', 0],
    ['', '', 1],
    ['a', '', 0],
  ])('finds %j and %j alike by %d', (a, b, much) => expect(likeness(a, b)).toBe(much))
})
