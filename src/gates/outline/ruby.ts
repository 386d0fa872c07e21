import { assertionsIn } from './assertions.ts'
import { maskSource } from './mask.ts'
import type { TestOutline } from './test-outline.ts'

const HEAD = {
  ruby: /^(\s*)(?:(x?it|x?specify|fit|xtest|test|pending|skip|x?describe|x?context|fdescribe|class|RSpec\.describe)\b\s*\(?\s*(.*?)\)?\s*(?:do\b.*|$)|def\s+(test_\w+))/,
  elixir: /^(\s*)(?:(test|describe)\s*\(?\s*(.*?)\s*\)?\s*(?:,\s*(?:%\{|\w).*)?do\s*$|defp?\s+(__never__))/,
} as const

const SUITES = new Set(['describe', 'context', 'xdescribe', 'xcontext', 'fdescribe', 'RSpec.describe', 'class'])

/** Tests of languages whose blocks end with `end` at the column of their head: RSpec, minitest, ExUnit. */
export function rubyTests(text: string, language: 'ruby' | 'elixir'): TestOutline[] {
  const masked = maskSource(text, language === 'ruby' ? 'ruby' : 'python')
  const lines = text.split('\n')
  const code = masked.split('\n')
  const tests: TestOutline[] = []
  const ends = endsByColumn(code)
  let around: { title: string; end: number; off: boolean }[] = []
  let tagged = /^\s*@moduletag\s+(?::skip|skip:)/m.test(masked)
  const moduleOff = tagged
  for (const [at, line] of code.entries()) {
    around = around.filter((it) => it.end >= at)
    if (/^\s*@(?:describe)?tag\s+(?::skip|skip:)/.test(line)) tagged = true
    const match = HEAD[language].exec(line)
    if (!match || (match[2] === 'class' && !/^\s*class\s+[A-Z]/.test(line))) continue
    const raw = HEAD[language].exec(lines[at] ?? '') ?? match
    const word = match[2] ?? 'def'
    const title = (raw[4] ?? titleOf(raw[3] ?? '')).trim()
    const end = endOf(ends, at, (match[1] ?? '').length)
    const off = /^x|^skip|^pending/.test(word) || (tagged && !moduleOff) || moduleOff
    tagged = moduleOff
    if (SUITES.has(word)) {
      around.push({ title, end, off })
      continue
    }
    const body = lines.slice(at, end + 1).join('\n')
    const maskedBody = code.slice(at, end + 1).join('\n')
    tests.push({
      name: [...around.map((it) => it.title), title].join(' > '),
      title,
      line: at + 1,
      endLine: end + 1,
      text: body,
      skipped:
        off ||
        around.some((it) => it.off) ||
        /^\s*(?:skip|pending)\b/m.test(maskedBody.split('\n').slice(1).join('\n')) ||
        /,\s*(?:skip|pending)(?::|\b)/.test(maskedBody.split('\n')[0] ?? ''),
      only: /^f(?:it|describe)/.test(word) || /,\s*:?focus\b/.test(line),
      assertions: assertionsIn(body, maskedBody, language),
    })
  }
  return tests
}

function titleOf(argument: string): string {
  const quoted = /^(["'])(.*?)\1/.exec(argument)
  return quoted?.[2] ?? argument.replace(/\s*(?:do|,).*$/, '')
}

/** For each column the lines on which an `end` stands there, in order. */
function endsByColumn(code: readonly string[]): Map<number, number[]> {
  const ends = new Map<number, number[]>()
  for (const [at, line] of code.entries()) {
    if (!/^\s*end\b/.test(line)) continue
    const column = line.length - line.trimStart().length
    const known = ends.get(column) ?? []
    known.push(at)
    ends.set(column, known)
  }
  return ends
}

/** The line that ends a block; its own line when none does. */
function endOf(ends: ReadonlyMap<number, number[]>, at: number, indent: number): number {
  return ends.get(indent)?.find((it) => it > at) ?? at
}
