import { assertionsIn } from './assertions.ts'
import { closingAfter, lineOf, maskSource } from './mask.ts'
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
  const off = switchedOffStretches(masked, language)
  return [...masked.matchAll(shape.head)].flatMap((match) => {
    const open = match.index + match[0].length
    const brace = /^[^{;]*\{/.exec(masked.slice(open))
    if (!brace) return []
    const start = open + brace[0].length - 1
    const to = closingAfter(masked, start)
    const before = shape.marks ? (shape.marks.exec(masked.slice(0, match.index))?.[0] ?? '') : ''
    if (shape.needs && !shape.needs.test(before)) return []
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
        line: lineOf(text, match.index),
        endLine: lineOf(text, to),
        text: text.slice(from, to),
        skipped: shape.off.test(head) || shape.bodyOff.test(masked.slice(start, to)) || off.some((it) => it.from < from && it.to >= to),
        only: false,
        assertions: assertionsIn(text.slice(start, to), masked.slice(start, to), language),
      },
    ]
  })
}

/** A name without what switches it off: it is the same test. */
function clean(name: string): string {
  return name.replace(/^["`]|["`]$/g, '').replace(/^DISABLED_/, '')
}

/** Classes marked as disabled, and code that the preprocessor leaves out. */
function switchedOffStretches(masked: string, language: Braced): { from: number; to: number }[] {
  if (language === 'java') {
    return [...masked.matchAll(/@(?:Disabled|Ignore)\b[^{;]*\bclass\b[^{]*\{/g)].map((it) => ({
      from: it.index,
      to: closingAfter(masked, it.index + it[0].length - 1),
    }))
  }
  if (language !== 'cpp') return []
  return [...masked.matchAll(/^[ \t]*#[ \t]*if[ \t]+0\b[\s\S]*?^[ \t]*#[ \t]*endif/gm)].map((it) => ({
    from: it.index,
    to: it.index + it[0].length,
  }))
}
