import { describe, expect, it } from 'vitest'
import { forModel, forRunner, forTerminal, inCommit, inMarkdown, jsonText, oneLine, visible } from './hostile-text.ts'

/** Characters as their numbers: what is tested must be seen here. */
const chars = (...codes: number[]): string => String.fromCodePoint(...codes)

describe('for people', () => {
  it.each([
    ['colours', '\u001b[31mred\u001b[0m', '\\x1b[31mred\\x1b[0m'],
    ['the clipboard (OSC 52)', '\u001b]52;c;aGk=\u0007', '\\x1b]52;c;aGk=\\x07'],
    [
      'a link that shows another address (OSC 8)',
      '\u001b]8;;https://evil.example\u001b\\x\u001b]8;;\u001b\\',
      '\\x1b]8;;https://evil.example\\x1b\\x\\x1b]8;;\\x1b\\',
    ],
    ['a device control string', '\u001bPq\u001b\\', '\\x1bPq\\x1b\\'],
    ['C1 introducers', '\u009b2J\u009d0;x\u009c', '\\x9b2J\\x9d0;x\\x9c'],
    ['a line that is overwritten', 'failed\rpassed', 'failed\\x0dpassed'],
    ['backspaces', 'bad\b\b\bgood', 'bad\\x08\\x08\\x08good'],
    ['half a surrogate pair', 'a\ud800b', 'a\\ud800b'],
    ['an Arabic letter mark', `a${chars(0x61c)}b`, 'a\\u061cb'],
    ['bidirectional overrides', `a${chars(0x202e)}b${chars(0x2066)}c`, 'a\\u202eb\\u2066c'],
    ['characters without width', `ad${chars(0x200b)}m${chars(0x2060)}in${chars(0xfeff)}`, 'ad\\u200bm\\u2060in\\ufeff'],
    ['joiners between Latin letters', `a${chars(0x200d)}b${chars(0x200c)}c`, 'a\\u200db\\u200cc'],
    ['text in tags', `x${chars(0xe0041, 0xe0042)}`, 'x\\u{e0041}\\u{e0042}'],
    ['a row of variation selectors', `x${chars(0xfe0f, 0xe0101, 0xe0102)}`, 'x\\ufe0f\\u{e0101}\\u{e0102}'],
    ['more selectors than a picture takes', chars(0x2764, 0xfe0f, 0xfe0e), `${chars(0x2764, 0xfe0f)}\\ufe0e`],
    [
      'a second joiner between Persian letters',
      chars(0x645, 0x6cc, 0x200c, 0x200c, 0x62e),
      `${chars(0x645, 0x6cc, 0x200c)}\\u200c${chars(0x62e)}`,
    ],
    ['a flag that says more than a country', chars(0x1f3f4, 0xe0068, 0xe0069, 0xe007f), `${chars(0x1f3f4)}\\u{e0068}\\u{e0069}\\u{e007f}`],
  ])('shows %s', (_what, raw, shown) => {
    expect(visible(raw)).toBe(shown)
  })

  it.each([
    ['tabs and line feeds', 'a\tb\nc'],
    ['Arabic, Hebrew and Chinese', 'سلام עברית 漢字'],
    ['Persian with its joiners', chars(0x645, 0x6cc, 0x200c, 0x62e, 0x648, 0x627, 0x647, 0x645)],
    ['Devanagari with its joiners', chars(0x915, 0x94d, 0x200d, 0x937)],
    ['a family', chars(0x1f468, 0x200d, 0x1f469, 0x200d, 0x1f467)],
    ['a picture in colour with a skin', chars(0x2764, 0xfe0f, 0x20, 0x1f44d, 0x1f3fd)],
    ['a key', chars(0x31, 0xfe0f, 0x20e3)],
    ['the flag of Wales', chars(0x1f3f4, 0xe0067, 0xe0062, 0xe0077, 0xe006c, 0xe0073, 0xe007f)],
    ['a variant of an ideograph', chars(0x845b, 0xe0100)],
  ])('keeps %s', (_what, text) => {
    expect(visible(text)).toBe(text)
  })

  it('puts a text on one line', () => {
    expect(oneLine(' a\r\n  b\t\u001b[2Kc ')).toBe('a b \\x1b[2Kc')
  })

  it('looks at a long text once', () => {
    const text = `${chars(0x202e)}a`.repeat(200_000)
    expect(visible(text)).toHaveLength(7 * 200_000)
  })
})

describe('for models', () => {
  it('marks what is hidden so that it cannot be mistaken for source text, and says so', () => {
    expect(forModel(`const a = "\\u202e"; // ${chars(0x202e)}\u001b[8m`)).toBe(
      'const a = "\\u202e"; // <U+202E><U+001B>[8m\n(2 invisible or control characters are shown above as <U+...>; in the text itself stands the character.)',
    )
  })

  it('leaves ordinary text as it is, to the byte', () => {
    const text = `a\tb ${chars(0x1f468, 0x200d, 0x1f469)} سلام <b>&amp;</b> @team ::set-output #12\n`
    expect(forModel(text)).toBe(text)
  })
})

describe('for terminals', () => {
  it('lets only colours through, whatever was forgotten before', () => {
    expect(forTerminal('\u001b[31mred\u001b[39m \u001b[2J\u001b]52;c;x\u0007')).toBe('\u001b[31mred\u001b[39m \\x1b[2J\\x1b]52;c;x\\x07')
  })

  it.each([
    ['::set-output name=a::b', '\\x3a:set-output name=a::b'],
    ['fine\n  ::add-mask::x', 'fine\n  \\x3a:add-mask::x'],
    [`${chars(0xa0)}::stop-commands::x`, `${chars(0xa0)}\\x3a:stop-commands::x`],
    ['so ##vso[task.setvariable]x', 'so \\x23#vso[task.setvariable]x'],
    ['so ###[error]x', 'so #\\x23#[error]x'],
    ['##teamcity[x]', '\\x23#teamcity[x]'],
  ])('gives no command to a CI runner: %j', (raw, shown) => {
    expect(forTerminal(raw)).toBe(shown)
    expect(forRunner(raw)).toBe(shown)
  })

  it('leaves colons and headings inside a line', () => {
    expect(forTerminal('std::string a::b\n## Heading [x]')).toBe('std::string a::b\n## Heading [x]')
  })
})

describe('as JSON', () => {
  it('has the same value, and nothing in it that acts', () => {
    const value = { a: `x\u001b\u009b${chars(0x202e, 0xe0041, 0x7f)}\ud800 ##[error]y`, b: [chars(0x1f468, 0x200d, 0x1f469), null] }
    for (const text of [jsonText(value), jsonText(value, 2)]) {
      expect(JSON.parse(text)).toEqual(value)
      // oxlint-disable-next-line no-control-regex
      expect(text).not.toMatch(/[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u202A-\u202E\uDB40]|##\[/)
    }
  })
})

describe('in Markdown', () => {
  it.each([
    ['HTML', '<img src=x onerror=y>', '&lt;img src=x onerror=y&gt;'],
    ['an entity', '&#64;team', '&amp;# 64;team'],
    ['an image that tells on its reader', '![x](https://evil.example/?q)', '![x\\](https://evil.example/?q)'],
    ['a bracket behind a backslash', '\\[x](y)', '\\\\[x\\](y)'],
    ['a diagram', '```mermaid\ngraph TD\n```', '\\`\\`\\`mermaid graph TD \\`\\`\\`'],
    ['a link by name', '[x][y] and [x]: z', '[x\\][y] and [x\\]: z'],
    ['a cell that ends', 'a | b', 'a \\| b'],
    ['a mention', 'ask @team, @org/sub or (@ada)', 'ask @ team, @ org/sub or (@ ada)'],
    ['a mail address', 'ada@example.org', 'ada@example.org'],
    ['a word that closes an issue', 'Fixes #12, closes org/repo#3, fixes GH-4', 'Fixes # 12, closes org/repo# 3, fixes GH- 4'],
    ['the same by address', 'fixes https://github.com/o/r/issues/12', 'fixes https://github.com/o/r/issues/ 12'],
    ['an escape sequence', '\u001b[31m', '\\x1b[31m'],
    ['a runner command', '##[error]x', '\\x23#[error]x'],
  ])('is inert: %s', (_what, raw, shown) => {
    expect(inMarkdown(raw)).toBe(shown)
  })
})

describe('in commit messages', () => {
  it('writes no trailer, tells nobody, closes nothing and keeps no CI away', () => {
    const text =
      'Do it\n\nFixes #12 for @team [skip ci]\nReeve-Isolation: os-sandbox\n  Signed-off-by: Eve <eve@example.org>\nskip-checks: true\nNote: this stays'
    expect(inCommit(text)).toBe(
      'Do it\n\nFixes # 12 for @ team [ skip ci]\n> Reeve-Isolation: os-sandbox\n> Signed-off-by: Eve <eve@example.org>\n> skip-checks: true\nNote: this stays',
    )
  })

  it('shows what a terminal would obey or nobody would see', () => {
    expect(inCommit(`a\u001b[2Jb${chars(0x202e)}`)).toBe('a\\x1b[2Jb\\u202e')
  })
})
