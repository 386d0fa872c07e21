import { assertionsIn } from './assertions.ts'
import { maskSource } from './mask.ts'
import type { TestOutline } from './test-outline.ts'

const DEF = /^(\s*)(?:async\s+)?def\s+(\w+)\s*\(/
const CLASS = /^(\s*)class\s+(\w+)/
const OFF = /@(?:\w+\.)*(?:skip\w*|xfail|expectedFailure)\b/
const BODY_OFF = /\bpytest\.(?:skip|xfail)\s*\(|\bself\.skipTest\s*\(|\braise\s+(?:unittest\.)?SkipTest\b/
const FILE_OFF = /^pytestmark\s*=.*\b(?:skip\w*|xfail)\b|^pytest\.skip\s*\(.*allow_module_level/m

// A head or a decorator over more lines is none.
const MAX_HEAD_LINES = 100

interface Scope {
  name: string
  indent: number
  skipped: boolean
}

/** Tests of pytest and unittest: functions named `test…`, alone or in classes. */
export function pythonTests(text: string): TestOutline[] {
  const masked = maskSource(text, 'python')
  const lines = text.split('\n')
  const code = masked.split('\n')
  const fileOff = FILE_OFF.test(masked)
  const tests: TestOutline[] = []
  let scopes: Scope[] = []
  let marks = null as { from: number; text: string } | null

  for (let at = 0; at < code.length; at++) {
    const line = code[at] ?? ''
    if (line.trim() === '') continue
    const indent = indentOf(line)
    if (marks === null || /^\s*@/.test(line)) {
      scopes = scopes.filter((it) => it.indent < indent)
    }
    if (/^\s*@/.test(line)) {
      marks = { from: marks?.from ?? at, text: `${marks?.text ?? ''}\n${line}` }
      at = bracketsEnd(code, at)
      continue
    }
    const off = OFF.test(marks?.text ?? '')
    const type = CLASS.exec(line)
    const def = DEF.exec(line)
    if (type) scopes.push({ name: type[2] ?? '', indent, skipped: off })
    if (def && !type) {
      const name = def[2] ?? ''
      const end = blockEnd(code, at, indent)
      if (name.startsWith('test')) {
        const from = marks?.from ?? at
        const body = lines.slice(from, end + 1).join('\n')
        const maskedBody = code.slice(from, end + 1).join('\n')
        tests.push({
          name: [...scopes.map((it) => it.name), name].join(' > '),
          title: name,
          line: at + 1,
          endLine: end + 1,
          text: body,
          skipped: fileOff || off || scopes.some((it) => it.skipped) || BODY_OFF.test(maskedBody),
          only: false,
          assertions: assertionsIn(body, maskedBody, 'python'),
        })
      }
      at = end
    }
    marks = null
  }
  return tests
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length
}

/** Last line of the block whose head is at `at`: the next line that is not deeper ends it. */
function blockEnd(code: readonly string[], at: number, indent: number): number {
  let last = bracketsEnd(code, at)
  for (let i = last + 1; i < code.length; i++) {
    const line = code[i] ?? ''
    if (line.trim() === '') continue
    if (indentOf(line) <= indent && !/^[)\]}]/.test(line.trim())) break
    last = i
  }
  return last
}

/** The line on which the brackets opened on this line are closed. */
function bracketsEnd(code: readonly string[], at: number): number {
  let depth = 0
  for (let i = at; i < Math.min(code.length, at + MAX_HEAD_LINES); i++) {
    for (const char of code[i] ?? '') {
      if ('([{'.includes(char)) depth += 1
      if (')]}'.includes(char)) depth -= 1
    }
    if (depth <= 0) return i
  }
  return at
}
