/**
 * Proves the attack cases: each test is green, and red by an assertion once the defence it is about is switched off. Works on copies of
 * this working tree. Run: npm run attacks            all of them
 *                         npm run attacks -- 12 13b  only these
 */
import { rmSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isPresent } from '../support/present.ts'
import { type Entry, type Need, numberOf, replacementsOf } from './entry.ts'
import { ENTRIES } from './mutations.ts'
import { copyTree, runTests, type TestResult } from './try-tests.ts'

// `expect(...).rejects` and `toThrow` have words of their own, behind the test's.
const ASSERTION = /^(?:AssertionError\b|Error: (?:.*: )?(?:promise (?:resolved|rejected)|expected) )/

interface Outcome {
  held: string
  without: string
  proved: boolean
}

const wanted = process.argv.slice(2)
const entries = ENTRIES.filter((it) => wanted.length === 0 || wanted.some((name) => name === it.case || name === String(numberOf(it))))
const copies = [copyTree(), copyTree()]
try {
  const outcomes = await prove(entries, copies)
  process.exitCode = print(entries, outcomes)
} finally {
  for (const copy of copies) rmSync(copy, { recursive: true, force: true })
}

async function prove(entries: readonly Entry[], copies: readonly string[]): Promise<Map<Entry, Outcome>> {
  const outcomes = new Map<Entry, Outcome>()
  const runnable: Entry[] = []
  for (const entry of entries) {
    const missing = entry.where !== undefined && !isHere(entry.where)
    if (missing) outcomes.set(entry, { held: `not run: needs ${entry.where}`, without: 'not run', proved: !process.env['CI'] })
    else runnable.push(entry)
  }
  const green = await runTests(copies[0] ?? '', runnable)
  const queue = [...runnable]
  const work = async (copy: string) => {
    for (let entry = queue.shift(); entry; entry = queue.shift()) {
      const together = holds(testsOf(entry, green))
      // All were run at once: what a busy machine ended is tried by itself.
      const held = together === 'yes' ? together : holds(testsOf(entry, await runTests(copy, [entry])))
      // A race is not lost every time, and a busy machine ends a test in other ways: twice, then it counts.
      const first = await tryWithout(entry, copy)
      const without = first === 'red' ? first : await tryWithout(entry, copy)
      outcomes.set(entry, { held, without, proved: held === 'yes' && without === 'red' })
      console.error(`${outcomes.size}/${entries.length}  ${entry.case} ${entry.title}: held ${held}, without the defence ${without}`)
    }
  }
  await Promise.all(copies.map(work))
  return outcomes
}

function isHere(need: Need): boolean {
  return need === 'linux' ? process.platform === 'linux' : isPresent(need)
}

function testsOf(entry: Entry, results: readonly TestResult[]): TestResult[] {
  return results.filter((it) => it.file === entry.test.file && it.name.includes(entry.test.name))
}

function holds(tests: readonly TestResult[]): string {
  if (tests.length === 0) return 'no: no such test'
  const bad = tests.find((it) => it.status !== 'passed')
  return bad ? `no: ${bad.status}` : 'yes'
}

/** Runs the test with the defence switched off. */
async function tryWithout(entry: Entry, copy: string): Promise<string> {
  const originals = new Map<string, string>()
  try {
    for (const { file, from, to } of replacementsOf(entry)) {
      const path = join(copy, file)
      const text = await readFile(path, 'utf8')
      if (!originals.has(path)) originals.set(path, text)
      if (text.split(from).length !== 2) return `NOT RED (${file} does not have its text once)`
      await writeFile(
        path,
        text.replace(from, () => to),
      )
    }
    return colour(testsOf(entry, await runTests(copy, [entry])), entry.says ?? '')
  } finally {
    for (const [path, text] of originals) await writeFile(path, text)
  }
}

/** Red counts only where an assertion failed: a syntax error or a time-out shows nothing. */
function colour(tests: readonly TestResult[], says: string): string {
  if (tests.length === 0) return 'NOT RED (the test did not load)'
  const failed = tests.filter((it) => it.status === 'failed')
  if (failed.length === 0) return `NOT RED (${tests[0]?.status})`
  if (failed.some((it) => ASSERTION.test(it.failure) && it.failure.includes(says))) return 'red'
  return `NOT RED (${failed[0]?.failure.split('\n')[0]})`
}

function print(entries: readonly Entry[], outcomes: ReadonlyMap<Entry, Outcome>): number {
  const rows = entries.map((it) => {
    const outcome = outcomes.get(it)
    return [it.case, it.title, it.level, outcome?.held ?? 'no', outcome?.without ?? 'NOT RED']
  })
  const all = [['case', 'attack', 'level', 'held here', 'without the defence'], ...rows]
  const widths = [0, 1, 2, 3].map((at) => Math.max(...all.map((row) => (row[at] ?? '').length)))
  for (const row of all)
    console.log(
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
  const failed = entries.filter((it) => !outcomes.get(it)?.proved)
  const absent = entries.filter((it) => outcomes.get(it)?.without === 'not run')
  console.log(`${entries.length - failed.length - absent.length} proved, ${absent.length} not run, ${failed.length} failed`)
  return failed.length === 0 ? 0 : 1
}
