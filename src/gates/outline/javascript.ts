import { assertionsIn } from './assertions.ts'
import { bracketsOf, linesOf, maskSource } from './mask.ts'
import type { TestOutline } from './test-outline.ts'

const CALL =
  /(?<![\w$.])(?:t\.)?(describe|context|suite|it|test|specify|fit|fdescribe|xit|xdescribe|xtest|xcontext)\b((?:\s*\.\s*\w+)*)\s*(?=[(`<])/g
const SUITE = /^(?:x|f)?(?:describe|context)$|^suite$/
const OFF = /\.(?:skip|todo|skipIf|runIf|fails|failing)\b/
const OPTION_OFF = /[{,]\s*(?:skip|todo)\s*:\s*(?!false|undefined)/
const BODY_OFF = /(?<![\w$])(?:t|ctx|context|this|test)\.(?:skip|todo)\s*\(/
const OPTION_ONLY = /[{,]\s*only\s*:\s*true/

// Each is read to its closing bracket; beyond this a file was made to keep the reader busy.
const MAX_CALLS = 2000
// No single test is that long.
const MAX_INSIDE = 20_000

interface Call {
  suite: boolean
  title: string
  from: number
  to: number
  skipped: boolean
  only: boolean
}

/** Tests of node:test, vitest, jest, mocha, jasmine and ava, by their calls. */
export function javascriptTests(text: string): TestOutline[] {
  const masked = maskSource(text, 'js')
  const lineAt = linesOf(text)
  const closing = bracketsOf(masked)
  const calls = [...masked.matchAll(CALL)].slice(0, MAX_CALLS).flatMap((match) => callAt(text, masked, match, closing))
  return calls
    .filter((it) => !it.suite)
    .map((it) => {
      const around = calls.filter((other) => other.suite && other.from < it.from && other.to >= it.to)
      const body = text.slice(it.from, it.to)
      return {
        name: [...around.map((other) => other.title), it.title].join(' > '),
        title: it.title,
        line: lineAt(it.from),
        endLine: lineAt(it.to),
        text: body,
        skipped: it.skipped || around.some((other) => other.skipped),
        only: it.only || around.some((other) => other.only),
        assertions: body.length > MAX_INSIDE ? [] : assertionsIn(body, masked.slice(it.from, it.to), 'js'),
      }
    })
}

function callAt(text: string, masked: string, match: RegExpExecArray, closing: (at: number) => number): Call[] {
  const word = match[1] ?? ''
  const modifiers = match[2] ?? ''
  const from = match.index
  let open = from + match[0].length
  if (masked[open] === '<') open = masked.indexOf('(', open)
  // `each(table)(title, ...)`, each`table`(title, ...), `skipIf(condition)(title, ...)`: the title is in the second brackets.
  if (/\.\s*(?:each|for|skipIf|runIf)\b/.test(modifiers)) {
    open = masked[open] === '`' ? templateEnd(masked, open) : closing(open)
    while (/\s/.test(masked[open] ?? '')) open += 1
  }
  if (masked[open] !== '(') return []
  const to = closing(open)
  const inside = masked.slice(open, Math.min(to, open + MAX_INSIDE))
  const suite = SUITE.test(word)
  const head = suite ? inside.slice(0, inside.search(/=>|function\b/) === -1 ? inside.length : inside.search(/=>|function\b/)) : inside
  return [
    {
      suite,
      title: titleAt(text, masked, open + 1),
      from,
      to,
      skipped: word.startsWith('x') || OFF.test(modifiers) || OPTION_OFF.test(headOf(head)) || (!suite && BODY_OFF.test(inside)),
      only: word.startsWith('f') || /\.only\b/.test(modifiers) || OPTION_ONLY.test(headOf(head)),
    },
  ]
}

/** The arguments before the function: only there an object is options. */
function headOf(inside: string): string {
  const at = inside.search(/=>|\bfunction\b/)
  return at === -1 ? inside : inside.slice(0, at)
}

function templateEnd(masked: string, at: number): number {
  const end = masked.indexOf('`', at + 1)
  return end === -1 ? masked.length : end + 1
}

function titleAt(text: string, masked: string, at: number): string {
  let i = at
  while (/\s/.test(masked[i] ?? '')) i += 1
  const quote = masked[i] ?? ''
  if (`'"\``.includes(quote) && quote !== '') {
    const end = masked.indexOf(quote, i + 1)
    return text.slice(i + 1, end === -1 ? i + 1 : end).replaceAll(/\\(.)/g, '$1')
  }
  const end = /[,)]/.exec(masked.slice(i))
  return end ? text.slice(i, i + end.index).trim() : ''
}
