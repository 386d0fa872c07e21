import { bracketsOf } from './mask.ts'

/** Assertions written as calls: where they begin, in a masked text. The bracket is the last character of the match. */
const CALLS = {
  js: /(?<![\w$.])(?:expect(?:\.\w+)*|expectTypeOf|assert\w*(?:\.\w+)*|(?:t|tap|should|chai)\.(?:is|not|deepEqual|notDeepEqual|like|true|false|truthy|falsy|throws\w*|notThrows\w*|regex|snapshot|assert|equal|strictEqual|ok|notOk|same|match|rejects|assert\.\w+))\s*(?:<[^()]*>)?\(|\.should\.[\w.]*\(/g,
  python: /(?:\bself\.(?:assert\w+|fail)|\bpytest\.(?:raises|warns|fail)|\bassert_\w+|\b\w+\.assert_\w+)\s*\(/g,
  go: /\b(?:t|b|tb)\.(?:Error|Errorf|Fatal|Fatalf|Fail|FailNow)\s*\(|\b(?:assert|require|is|qt|cmp)\.\w+\s*\(/g,
  rust: /\b(?:debug_)?assert\w*!\s*\(|\bpanic!\s*\(|\bprop_assert\w*!\s*\(/g,
  java: /\b(?:assert\w*|verify\w*|fail|expectThrows|shouldThrow|Assert\.\w+|Assertions\.\w+)\s*\(/g,
  cpp: /\b(?:EXPECT|ASSERT)_\w+\s*\(|\b(?:CHECK|REQUIRE|TEST_ASSERT)\w*\s*\(|\bassert\s*\(|\b(?:FAIL|ADD_FAILURE)\s*\(/g,
  ruby: /\b(?:expect|assert\w*|refute\w*|flunk|must_\w+|wont_\w+)\b\s*(?=[({ ])/g,
  elixir: /\b(?:assert\w*|refute\w*|flunk)\b/g,
} as const satisfies Record<string, RegExp>

type CallLanguage = keyof typeof CALLS

/** Every assertion of a test as it is written, chained matchers included. `text` and `masked` are the same stretch. */
export function assertionsIn(text: string, masked: string, language: CallLanguage): string[] {
  if (language === 'ruby' || language === 'elixir') return lineAssertions(text, masked, CALLS[language])
  const closing = bracketsOf(masked)
  const found: { from: number; to: number }[] = []
  for (const match of masked.matchAll(CALLS[language])) {
    const from = match.index
    // An assertion inside another one's arguments belongs to it.
    if (from < (found.at(-1)?.to ?? 0)) continue
    found.push({ from, to: chainEnd(masked, closing(from + match[0].length - 1), closing) })
  }
  const calls = found.map((it) => ({ at: it.from, text: text.slice(it.from, it.to) }))
  const statements = language === 'python' ? pythonAsserts(text, masked, closing) : []
  return [...calls, ...statements].toSorted((a, b) => a.at - b.at).map((it) => it.text)
}

/** `expect(x)` goes on with `.not.toBe(3)`. */
function chainEnd(masked: string, at: number, closing: (at: number) => number): number {
  let end = at
  for (;;) {
    const link = /^\s*(?:\.\s*[\w$]+|\?\.[\w$]+|!)/.exec(masked.slice(end, end + 200))
    if (link) {
      end += link[0].length
      continue
    }
    if (masked[end] === '(' || masked[end] === '[') {
      end = closing(end)
      continue
    }
    const stream = /^\s*<</.exec(masked.slice(end, end + 20))
    return stream ? Math.max(end, masked.indexOf(';', end)) : end
  }
}

function pythonAsserts(text: string, masked: string, closing: (at: number) => number): { at: number; text: string }[] {
  const found: { at: number; text: string }[] = []
  let end = 0
  for (const match of masked.matchAll(/(?<=^|\n|;|:)[ \t]*assert\b(?!_)/g)) {
    const at = match.index + match[0].length - 'assert'.length
    if (at < end) continue
    end = statementEnd(masked, at, closing)
    found.push({ at, text: text.slice(at, end) })
  }
  return found
}

/** A statement of Python ends with its line, unless a bracket is open or the line goes on. */
function statementEnd(masked: string, at: number, closing: (at: number) => number): number {
  let i = at
  while (i < masked.length && masked[i] !== '\n') {
    if (masked[i] === '\\' && masked[i + 1] === '\n') i += 2
    else i = '([{'.includes(masked[i] ?? ' ') ? closing(i) : i + 1
  }
  return i
}

function lineAssertions(text: string, masked: string, pattern: RegExp): string[] {
  const lines = text.split('\n')
  return masked.split('\n').flatMap((line, at) => ([...line.matchAll(pattern)].length > 0 ? [(lines[at] ?? '').trim()] : []))
}

const LITERAL = String.raw`(?:true|false|null|undefined|None|True|False|nil|-?\d+(?:\.\d+)?|'[^']*'|"[^"]*")`
const VACUOUS: readonly RegExp[] = [
  new RegExp(String.raw`^expect\s*\(\s*${LITERAL}\s*\)\s*\.(?:not\.)?\w+\s*\(\s*${LITERAL}?\s*\)$`),
  new RegExp(
    String.raw`^(?:chai\.)?(?:assert|debug_assert|assert_eq|assert_ne)!?\s*(?:\.\w+)*\s*\(\s*${LITERAL}\s*(?:,\s*${LITERAL}\s*)?\)$`,
  ),
  new RegExp(String.raw`^assert\s+\(?\s*${LITERAL}\s*(?:(?:==|is)\s*${LITERAL}\s*)?\)?$`),
  new RegExp(
    String.raw`^(?:self\.|Assert\.|Assertions\.|t\.|assert\.|require\.)?(?:assert\w+|is|true|false|ok|equal|True|Equal|truthy)\s*\(\s*(?:t\s*,\s*)?${LITERAL}\s*(?:,\s*${LITERAL}\s*)?\)$`,
    'i',
  ),
  new RegExp(String.raw`^(?:EXPECT|ASSERT|CHECK|REQUIRE|TEST_ASSERT)\w*\s*\(\s*${LITERAL}\s*(?:,\s*${LITERAL}\s*)?\)$`),
  new RegExp(String.raw`^SUCCEED\s*\(`),
]

/** True for an assertion over constants alone: it holds whatever the code does. */
export function isVacuous(assertion: string): boolean {
  const text = assertion.replaceAll(/\s+/g, ' ').replace(/;$/, '').trim()
  return VACUOUS.some((it) => it.test(text))
}

const WEAK =
  /\.(?:toBeDefined|toBeTruthy|toBeFalsy|toBeNull|toBeUndefined|toBeInstanceOf|not\.toThrow|exist|ok)\s*(?:\(|$)|^assert(?:\.ok)?\s*\(\s*[\w.]+\s*\)$|assertIsNotNone|assertIsInstance|assertNotNull|^assert\s+[\w.]+$|^assert\s+[\w.]+(?:\([^()]*\))?\s+is\s+not\s+None$|NotNil|\.ok\s*\(\s*[\w.]+\s*\)$/

/** True for an assertion that only says that something is there. */
export function isWeak(assertion: string): boolean {
  return WEAK.test(assertion.replaceAll(/\s+/g, ' ').trim())
}

/** The constants in an assertion: what is expected, whatever things are called. */
export function literalsIn(assertion: string): string[] {
  const found = assertion.match(
    /`[^`]*`|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|(?<![\w.])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|\b(?:true|false|null|undefined|None|True|False|nil|NaN|Infinity)\b/g,
  )
  return (found ?? []).map((it) => it.replace(/^[`"]|[`"]$/g, "'").replaceAll(/\s+/g, ' '))
}
