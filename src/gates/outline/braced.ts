import { assertionsIn } from './assertions.ts'
import { bracketsOf, linesOf, maskSource } from './mask.ts'
import type { TestOutline } from './test-outline.ts'

interface Shape {
  head: RegExp
  /** Names of the test, from the match. */
  names(match: RegExpMatchArray): string[]
  /** In what stands before the head. */
  marks: RegExp | null
  /** A mark that must stand there for it to be a test. */
  needs: RegExp | null
  off: RegExp
  bodyOff: RegExp
}

// Each is read to its closing bracket; beyond this a file was made to keep the reader busy.
const MAX_HEADS = 2000
// No single test is that long.
const MAX_BODY = 20_000
// Attributes and annotations before a test.
const MARKS_LENGTH = 1000

type Braced = 'go' | 'rust' | 'java' | 'cpp'

const SHAPES: Readonly<Record<Braced, Shape>> = {
  go: {
    head: /\bfunc\s+(Test\w+|Fuzz\w+|Example\w*)\s*\([^)]*\)/g,
    names: (match) => [match[1] ?? ''],
    marks: null,
    needs: null,
    off: /$^/,
    bodyOff: /\b(?:t|b|f)\.Skip(?:f|Now)?\s*\(/,
  },
  rust: {
    head: /\bfn\s+(\w+)\s*(?:<[^>]*>)?\([^)]*\)[^{;]*/g,
    names: (match) => [match[1] ?? ''],
    marks: /(?:\s*#\s*\[[^\]]*(?:\[[^\]]*\][^\]]*)*\]|\s*\bpub(?:\([^)]*\))?|\s*\basync\b|\s*\bunsafe\b)*\s*$/,
    needs: /#\s*\[\s*(?:\w+::)*(?:test|rstest|test_case|proptest|quickcheck)\b/,
    off: /#\s*\[\s*(?:ignore\b|cfg\s*\(\s*any\s*\(\s*\)\s*\))/,
    bodyOff: /$^/,
  },
  java: {
    head: /\b(?:void|fun|Unit|Task|def|Stream<\w+>|Collection<\w+>)\s+(\w+|`[^`]*`)\s*\([^)]*\)[^{;]*/g,
    names: (match) => [match[1] ?? ''],
    marks:
      /(?:\s*@\w+(?:\.\w+)*(?:\s*\((?:[^()]|\([^()]*\))*\))?|\s*\[[^\]]*\]|\s*\b(?:public|private|protected|internal|static|final|async|suspend|override)\b)*\s*$/,
    needs: /@(?:\w*Test\w*|TestFactory|Property)\b|\[(?:Fact|Theory|Test)/,
    off: /@(?:Disabled\w*|Ignore\w*)\b|\[Ignore|Skip\s*=/,
    bodyOff: /\b(?:assumeTrue|assumeFalse)\s*\(\s*(?:true|false)\s*\)|\bAssumptions\.abort\s*\(/,
  },
  cpp: {
    head: /\b(?:TYPED_|BOOST_AUTO_|BOOST_FIXTURE_)?(?:TEST|TEST_F|TEST_P|TEST_CASE|SCENARIO|SECTION)\s*\(([^)]*)\)/g,
    names: (match) =>
      (match[1] ?? '')
        .split(',')
        .slice(0, 2)
        .map((it) => it.trim()),
    marks: null,
    needs: null,
    off: /\bDISABLED_|\[!?(?:\.|skip|hide|mayfail|shouldfail)|doctest::(?:skip|may_fail)/,
    bodyOff: /\bGTEST_SKIP\s*\(|\bSKIP\s*\(/,
  },
}

/** Tests of languages whose test is a block in braces: Go, Rust, the JVM's, C and C++. */
export function bracedTests(text: string, language: Braced): TestOutline[] {
  const shape = SHAPES[language]
  const masked = maskSource(text, language === 'rust' ? 'rust' : 'c')
  const lineAt = linesOf(text)
  const closing = bracketsOf(masked)
  const off = switchedOffStretches(masked, language, closing)
  return [...masked.matchAll(shape.head)].slice(0, MAX_HEADS).flatMap((match) => {
    const open = match.index + match[0].length
    const brace = /^[^{;]*\{/.exec(masked.slice(open, open + MARKS_LENGTH))
    if (!brace) return []
    const start = open + brace[0].length - 1
    const to = Math.min(closing(start), start + MAX_BODY)
    const before = shape.marks ? (shape.marks.exec(masked.slice(Math.max(0, match.index - MARKS_LENGTH), match.index))?.[0] ?? '') : ''
    if (shape.needs && !shape.needs.test(before)) return []
    const reached = start + reachedOf(masked.slice(start, to))
    const from = match.index - before.trimStart().length
    const head = text.slice(from, start)
    // The head's strings are blank in the masked text; names and tags of C++ are read as they are written.
    const written = text.slice(match.index, open)
    const names = shape.names(language === 'cpp' ? (/\(([^)]*)\)/.exec(written) ?? match) : match).map(clean)
    const title = names.filter(Boolean).at(-1) ?? ''
    return [
      {
        name: names.filter(Boolean).join(' > '),
        title,
        line: lineAt(match.index),
        endLine: lineAt(to),
        text: text.slice(from, to),
        skipped: shape.off.test(head) || shape.bodyOff.test(masked.slice(start, to)) || off.some((it) => it.from < from && it.to >= to),
        only: false,
        assertions: assertionsIn(text.slice(start, reached), masked.slice(start, reached), language),
      },
    ]
  })
}

/** How much of a body runs at all: what stands after a `return` that nothing guards never does. */
function reachedOf(body: string): number {
  let depth = 0
  for (const { 0: found, index } of body.matchAll(/[{}]|\breturn\b/g)) {
    if (found === '{') depth += 1
    else if (found === '}') depth -= 1
    else if (depth === 1 && /[{};]\s*$/.test(body.slice(Math.max(0, index - 200), index))) return index
  }
  return body.length
}

/** A name without what switches it off: it is the same test. */
function clean(name: string): string {
  return name.replace(/^["`]|["`]$/g, '').replace(/^DISABLED_/, '')
}

/** Classes marked as disabled, and code that the preprocessor leaves out. */
function switchedOffStretches(masked: string, language: Braced, closing: (at: number) => number): { from: number; to: number }[] {
  if (language === 'java') {
    return [...masked.matchAll(/@(?:Disabled|Ignore)\b[^{;]*\bclass\b[^{]*\{/g)].map((it) => ({
      from: it.index,
      to: closing(it.index + it[0].length - 1),
    }))
  }
  if (language !== 'cpp') return []
  return [...masked.matchAll(/^[ \t]*#[ \t]*if[ \t]+0\b[\s\S]*?^[ \t]*#[ \t]*endif/gm)].map((it) => ({
    from: it.index,
    to: it.index + it[0].length,
  }))
}
