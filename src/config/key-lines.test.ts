import { expect, it } from 'vitest'
import { keyLines } from './key-lines.ts'

it('finds keys behind comments, strings of several lines, lists of several lines and brackets in texts', () => {
  const lines = keyLines(
    [
      '# max = 1', // 1
      'top = """', // 2
      'fake = 1', // 3
      '[fake]', // 4
      '"""', // 5
      'list = [ # [', // 6
      '  "a]", # ]', // 7
      '  "fake = 2",', // 8
      ']', // 9
      '[ a."b.c" ] # comment', // 10
      "'quoted' = '['", // 11
      'one.two = { three = 3 }', // 12
      '[[a.list]]', // 13
      'last = "\\"["', // 14
      'end = 1', // 15
    ].join('\n'),
  )
  expect(Object.fromEntries(lines)).toEqual({
    top: 2,
    list: 6,
    a: 10,
    'a.b.c': 10,
    'a.b.c.quoted': 11,
    'a.b.c.one': 12,
    'a.b.c.one.two': 12,
    'a.list': 13,
    'a.list.last': 14,
    'a.list.end': 15,
  })
})

it('reads lines of very many blanks as quickly as others', () => {
  const blanks = ' '.repeat(100_000)
  const began = performance.now()
  expect([...keyLines(`${blanks}# nothing\n["a${blanks}b"]\na = 1${blanks}\n${blanks}`)]).toEqual([
    [`a${blanks}b`, 2],
    [`a${blanks}b.a`, 3],
  ])
  expect(performance.now() - began).toBeLessThan(1000)
})
