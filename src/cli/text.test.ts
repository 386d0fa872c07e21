import { expect, it } from 'vitest'
import { ago, count, duration, money, spent } from './figures.ts'
import { fit, oneLine, pad, safe, table, width } from './text.ts'

it.each([
  ['an escape sequence', '\u001b[31mred\u001b[0m', '\\x1b[31mred\\x1b[0m'],
  ['a window title', '\u001b]0;owned\u0007', '\\x1b]0;owned\\x07'],
  ['a C1 introducer', '\u009b2J', '\\x9b2J'],
  ['a carriage return that overwrites', 'good\rbad', 'good\\x0dbad'],
  ['a bidirectional override', 'a\u202eb\u2066c', 'a\\u202eb\\u2066c'],
  ['a character without width', 'ad\u200bmin\ufeff', 'ad\\u200bmin\\ufeff'],
  ['a tag character', 'x\u{e0041}', 'x\\u{e0041}'],
])('shows %s instead of obeying it', (_what, raw, shown) => {
  expect(safe(raw)).toBe(shown)
})

it('keeps tabs, line feeds and letters of all scripts', () => {
  expect(safe('a\tb\r\nc é 漢字 👩‍💻 עברית')).toBe('a\tb\nc é 漢字 👩‍💻 עברית')
})

it('puts a text on one line', () => {
  expect(oneLine(' a\n  b\t\u001b[2Kc ')).toBe('a b \\x1b[2Kc')
})

it('measures and cuts by columns', () => {
  expect(width('漢字')).toBe(4)
  expect(width('é✔')).toBe(2)
  expect(fit('漢字漢字', 5)).toBe('漢字…')
  expect(fit('short', 5)).toBe('short')
  expect(pad('ab', 4)).toBe('ab  ')
  expect(pad('12', 4, 'right')).toBe('  12')
})

it('lays out a table and cuts only the column that may be cut', () => {
  expect(
    table(
      [
        ['id', 'title', 'state'],
        ['r1', 'a long title of a task', 'ok'],
      ],
      24,
      1,
    ),
  ).toEqual(['id  title          state', 'r1  a long title…  ok'])
})

it('says figures as people do', () => {
  expect([duration(400), duration(4000), duration(65_000), duration(3_780_000)]).toEqual(['0.4s', '4s', '1m 05s', '1h 03m'])
  expect([ago(0, 30_000), ago(0, 300_000), ago(0, 7_200_000), ago(0, 3 * 86_400_000)]).toEqual([
    'just now',
    '5 min ago',
    '2 h ago',
    '3 d ago',
  ])
  expect([count(980), count(1234), count(2_000_000)]).toEqual(['980', '1.2k', '2M'])
  expect(spent({ inputTokens: 1, outputTokens: 1, cachedInputTokens: 0, requests: 2 }, null, 0.3)).toBe(
    '2 tokens in 2 calls, $0.30 + unknown',
  )
  expect([money(null), money(0), money(0.001), money(1.5)]).toEqual(['cost unknown', '$0', '<$0.01', '$1.50'])
  expect(spent({ inputTokens: 1000, outputTokens: 234, cachedInputTokens: 0, requests: 1 }, null)).toBe(
    '1.2k tokens in 1 call, cost unknown',
  )
})
