import type { TestCase } from '../port.ts'

const RESULT = /^(\s*)(not )?ok\b(?:\s+(\d+))?\s*(.*)$/
const DIRECTIVE = /\s#\s*(skip|todo)\S*\s*(.*)$/i
const PLAN = /^(\s*)(\d+)\.\.(\d+)(?:\s*#\s*(.*))?$/
const ASSERTION = /ERR_ASSERTION|AssertionError|operator:|assertion/i

interface Line {
  depth: number
  ok: boolean
  title: string
  directive: 'skip' | 'todo' | null
  diagnosis: string
}

/** TAP says nothing of its own kind of failure; its YAML block does, for most producers. */
function toCase(line: Line, path: readonly string[]): TestCase {
  const skipped = line.directive !== null
  const failed = !line.ok && !skipped
  return {
    name: [...path, line.title].join(' > '),
    file: null,
    line: null,
    status: skipped ? 'skipped' : failed ? 'failed' : 'passed',
    failure: failed ? (line.diagnosis === '' || ASSERTION.test(line.diagnosis) ? 'assertion' : 'error') : null,
    message: failed ? line.diagnosis : '',
  }
}

/** Whether a text begins a TAP stream: its version line, or a plan with results. */
export function looksLikeTap(text: string): boolean {
  return /^TAP version 1[234]\s*$/m.test(text) || (/^1\.\.\d+/m.test(text) && /^(?:not )?ok \d+/m.test(text))
}

/**
 * Reads TAP 12 to 14 out of any output; lines that are not TAP are passed over. Subtests (indented by four) give their cases with the titles
 * around them; the summary line of a subtest is no case of its own. Problems: a bail out, a missing plan, fewer or more results than planned.
 */
export function readTap(text: string): { cases: TestCase[]; problem: string | null } {
  const cases: TestCase[] = []
  /** Finished results of a depth that wait for the title of their parent. */
  const pending = new Map<number, TestCase[]>()
  let planned: number | null = null
  let top = 0
  let problem: string | null = null
  let last: Line | null = null
  let diagnosis: string[] | null = null

  const settle = () => {
    if (!last) return
    const inner = pending.get(last.depth + 1)
    pending.delete(last.depth + 1)
    const title = last.title
    const own = inner && inner.length > 0 ? inner.map((it) => ({ ...it, name: `${title} > ${it.name}` })) : [toCase(last, [])]
    // A parent that fails although all its parts passed broke by itself (a hook, a plan).
    const alone = inner && !last.ok && last.directive === null && !inner.some((it) => it.status === 'failed') ? [toCase(last, [])] : []
    if (last.depth === 0) {
      cases.push(...own, ...alone)
      top++
    } else pending.set(last.depth, [...(pending.get(last.depth) ?? []), ...own, ...alone])
    last = null
  }

  for (const raw of text.split('\n')) {
    const line = raw.trimEnd()
    if (diagnosis !== null) {
      if (/^\s*\.\.\.$/.test(line)) {
        if (last) last.diagnosis = diagnosis.join('\n')
        diagnosis = null
      } else if (diagnosis.length < 200) diagnosis.push(line.trim())
      continue
    }
    if (last !== null && /^\s+---$/.test(line)) {
      diagnosis = []
      continue
    }
    if (/^\s*Bail out!/.test(line)) {
      problem = `the run bailed out: ${line.replace(/^\s*Bail out!\s*/, '') || 'no reason given'}`
      break
    }
    const plan = PLAN.exec(line)
    if (plan) {
      if (plan[1] === '') planned = Number(plan[3]) - Number(plan[2]) + 1
      continue
    }
    const result = RESULT.exec(line)
    if (!result) continue
    settle()
    const rest = (result[4] ?? '').replace(/^-\s*/, '')
    const directive = DIRECTIVE.exec(` ${rest}`)
    last = {
      depth: Math.floor((result[1] ?? '').length / 4),
      ok: result[2] === undefined,
      title: (directive ? ` ${rest}`.slice(0, directive.index) : rest).trim() || `test ${result[3] ?? cases.length + 1}`,
      directive: directive ? (directive[1]?.toLowerCase() as 'skip' | 'todo') : null,
      diagnosis: '',
    }
  }
  settle()
  if (problem === null && planned === null && cases.length > 0) problem = 'its plan ("1..N") is missing: the run was cut short'
  if (problem === null && planned !== null && planned !== top) problem = `its plan names ${planned} results, but it has ${top}`
  return { cases, problem }
}
