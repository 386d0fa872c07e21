import { describe, expect, it } from 'vitest'
import { replaceOnce } from './ladder.ts'

const CODE = `function add(a, b) {
  if (a > 0) {
    return a + b
  }
  return b
}
`

function applied(text: string, old: string, fresh: string, options = {}): string {
  const result = replaceOnce(text, old, fresh, options)
  return result.ok ? `${result.rung}@${result.line}\n${result.text}` : `REFUSED ${result.problem}`
}

describe('the edit ladder', () => {
  const table: [title: string, text: string, old: string, fresh: string, expected: string][] = [
    ['replaces an exact piece within a line', 'const a = 1\n', 'a = 1', 'a = 2', 'exact@1\nconst a = 2\n'],
    ['replaces exact lines', 'one\ntwo\nthree\n', 'two\n', '2\n', 'exact@2\none\n2\nthree\n'],
    ['deletes', 'one\ntwo\nthree\n', 'two\n', '', 'exact@2\none\nthree\n'],
    ['treats a dollar sign as text', 'a\n', 'a', '$& $1', 'exact@1\n$& $1\n'],
    [
      'forgives line ends, and keeps those of the file',
      'one\r\ntwo\r\nthree\r\n',
      'one\ntwo\n',
      'one\n2\n',
      'line ends@1\none\r\n2\r\nthree\r\n',
    ],
    ['writes new lines with the ends of the file', 'one\r\ntwo\r\n', 'one', 'a\nb', 'exact@1\na\r\nb\r\ntwo\r\n'],
    [
      'forgives trailing blanks, and leaves those of unchanged lines',
      'one  \ntwo\t\nthree\n',
      'one\ntwo\n',
      'one\n2\n',
      'line ends@1\none  \n2\nthree\n',
    ],
    ['forgives trailing blanks in what is asked for', 'one\ntwo\n', 'one   \ntwo', 'uno\ntwo', 'line ends@1\nuno\ntwo\n'],
    [
      'shifts by the indentation that was left out',
      CODE,
      'if (a > 0) {\n  return a + b\n}\n',
      'if (a > 1) {\n  return a - b\n}\n',
      `indentation@2\n${CODE.replace('a > 0', 'a > 1').replace('a + b', 'a - b')}`,
    ],
    [
      'takes off indentation that was too much',
      'def f():\n    return 1\n',
      '    def f():\n        return 1',
      '    def f():\n        return 2',
      'indentation@1\ndef f():\n    return 2\n',
    ],
    ['shifts by tabs', '\tif x:\n\t\ty()\n', 'if x:\n\ty()', 'if x:\n\tz()', 'indentation@1\n\tif x:\n\t\tz()\n'],
    [
      'reads typographic quotes as plain ones',
      'say(“hello”)\nnext()\n',
      'say("hello")',
      'say("bye")',
      'punctuation@1\nsay("bye")\nnext()\n',
    ],
    [
      'leaves punctuation of lines that stay',
      '// it’s fine\na()\n',
      "// it's fine\na()",
      "// it's fine\nb()",
      'punctuation@1\n// it’s fine\nb()\n',
    ],
    ['reads dashes and hard blanks', 'a\u00A0–\u00A0b\n', 'a - b', 'c', 'punctuation@1\nc\n'],
    ['keeps a file without a final line end', 'one\ntwo', 'two\n', '2\n', 'line ends@2\none\n2'],
    ['keeps a file with carriage returns and no final line end', 'one\r\ntwo', 'one\ntwo', '1\n2', 'line ends@1\n1\r\n2'],
    ['finds lines at the very end', 'a\nb\n', 'b\n', 'c\nd\n', 'exact@2\na\nc\nd\n'],
  ]
  it.each(table)('%s', (_title, text, old, fresh, expected) => expect(applied(text, old, fresh)).toBe(expected))

  const refusals: [title: string, text: string, old: string, problem: string][] = [
    ['several exact places', 'x\ny\nx\n', 'x\n', 'the text to replace occurs 2 times (lines 1, 3); give more lines around it.'],
    [
      'several places on a later rung',
      '\tx\ny\n\tx\n',
      'x ',
      'the text to replace occurs 2 times (lines 1, 3); give more lines around it.',
    ],
    [
      'a line that differs',
      CODE,
      '  if (a > 0) {\n    return a * b\n  }\n',
      'the text to replace is not in the file. The nearest place begins at line 2; it first differs at line 3: the file has `    return a + b`, your text has `    return a * b`.',
    ],
    [
      'lines that are nowhere',
      CODE,
      'nothing like it\n',
      'the text to replace is not in the file, and no line of it is; read the file again with read_file.',
    ],
    [
      'indentation that is not uniform',
      'if a:\n  b()\n    c()\n',
      'if a:\n    b()\n    c()',
      'the text to replace is not in the file: near line 1 its lines are there, but with different indentation; copy them exactly.',
    ],
    [
      'text beyond the end of the file',
      'one\ntwo\n',
      'two\nthree\nfour',
      'the text to replace is not in the file. The nearest place begins at line 2; it first differs at line 3: the file has ``, your text has `three`.',
    ],
    ['an empty text', 'a', '', 'the text to replace is empty; give the lines to replace, or use write_file for a whole new file.'],
  ]
  it.each(refusals)('refuses %s', (_title, text, old, problem) => expect(applied(text, old, 'new')).toBe(`REFUSED ${problem}`))

  it('refuses an edit that changes nothing', () => {
    expect(applied('a\n', 'a', 'a')).toBe('REFUSED the old and the new text are the same; nothing would change.')
  })

  it('replaces all exact places on request, and says how many', () => {
    expect(replaceOnce('x y x', 'x', 'z', { all: true })).toEqual({ ok: true, text: 'z y z', rung: 'exact', line: 1, count: 2 })
  })

  it('never applies something near', () => {
    const result = replaceOnce('const total = sum(items)\n', 'const total = sum(item)\n', 'const total = 0\n')
    expect(result.ok).toBe(false)
  })

  it('uses the line number only to decide between exact places', () => {
    expect(applied('x\ny\nx\n', 'x\n', 'z\n', { atLine: 3 })).toBe('exact@3\nx\ny\nz\n')
    expect(applied('x\ny\nx\n', 'x\n', 'z\n', { atLine: 2 })).toMatch(/^REFUSED the text to replace occurs 2 times/)
    expect(applied('x\ny\nx\n', 'x\n', 'z\n', { afterLine: 1 })).toBe('exact@3\nx\ny\nz\n')
  })

  it('answers quickly for a huge file', () => {
    const huge = 'the same line\n'.repeat(200_000)
    const began = performance.now()
    const result = replaceOnce(huge, `${'the same line\n'.repeat(50)}another\n`, 'x')
    expect(result.ok).toBe(false)
    expect(performance.now() - began).toBeLessThan(3000)
  })

  it.each([
    ['a text that is in it very often', 'a\n'.repeat(400_000), 'a'],
    ['thousands of lines that are alike', `${'a\n'.repeat(400_000)}c\n`, `${'a\n'.repeat(5000)}c \nc`],
  ])('answers quickly for %s', (_title, text, old) => {
    const began = performance.now()
    expect(replaceOnce(text, old, 'b').ok).toBe(false)
    expect(performance.now() - began).toBeLessThan(3000)
  })

  it('counts all places it has replaced, however many', () => {
    const replaced = replaceOnce('a\n'.repeat(20_000), 'a', 'b', { all: true })
    expect(replaced.ok && replaced.count).toBe(20_000)
  })
})
