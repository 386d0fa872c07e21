import { posix } from 'node:path'
import type { TestCase } from '../port.ts'
import { readGoCover } from '../reports/coverage.ts'
import { readLines } from '../reports/lines.ts'
import { NOTHING, type Reader, type ReaderInput, uniqueNames } from '../reports/reading.ts'
import { fields, text } from '../reports/sarif.ts'
import { uncompiled } from './ctest.ts'
import { jsonLines } from './json-cases.ts'

interface GoTest {
  package: string
  test: string
  /** The last word on it; `run` when it never ended. */
  action: string
  output: string
}

const ENDS = new Set(['pass', 'fail', 'skip'])
/** Lines that the runner itself writes. */
const FRAME = /^\s*(?:=== (?:RUN|PAUSE|CONT|NAME)\b|--- (?:PASS|FAIL|SKIP):)/
const MOST_OUTPUT = 16_000

/** Folder of a package below the module, "." for its root. */
function folderOf(pack: string, module: string): string {
  return pack === module ? '.' : pack.startsWith(`${module}/`) ? pack.slice(module.length + 1) : '.'
}

function toCase(it: GoTest, module: string, input: ReaderInput): TestCase {
  const lines = it.output.split('\n').filter((line) => !FRAME.test(line))
  const message = input.clean(lines.join('\n'))
  const panicked = /^\s*panic: |^fatal error: |test timed out after/m.test(message)
  // `    a_test.go:7: message`, by the runner; `path/a_test.go:11 +0x2e`, in a stack.
  const at = /^\s*([\w.-]+_test\.go):(\d+): /m.exec(message) ?? /(?:^|[\s/])([\w.-]+_test\.go):(\d+)/m.exec(message)
  const failed = it.action === 'fail' || it.action === 'run'
  return {
    name: [it.package, ...it.test.split('/')].join(' > '),
    file: at ? input.place(posix.join(folderOf(it.package, module), at[1] ?? '')) : null,
    line: at ? Number(at[2]) : null,
    status: failed ? 'failed' : it.action === 'skip' ? 'skipped' : 'passed',
    failure: failed ? (panicked || it.action === 'run' ? 'error' : 'assertion') : null,
    message: failed ? message || 'The test did not end.' : it.action === 'skip' ? message : '',
  }
}

/** Tests with parts speak through their parts, unless they broke although all of those held. */
function ownCases(tests: readonly GoTest[]): GoTest[] {
  const parents = new Map<string, GoTest[]>()
  for (const it of tests) {
    const parts = it.test.split('/')
    for (let depth = 1; depth < parts.length; depth++) {
      const key = `${it.package}\n${parts.slice(0, depth).join('/')}`
      parents.set(key, [...(parents.get(key) ?? []), it])
    }
  }
  return tests.filter((it) => {
    const parts = parents.get(`${it.package}\n${it.test}`)
    return (
      !parts || (it.action !== 'pass' && it.action !== 'skip' && !parts.some((part) => part.action === 'fail' || part.action === 'run'))
    )
  })
}

/** `go test -json`: one event per line. Packages that do not compile have no events of tests; the compiler speaks on standard error. */
export const readGoTest: Reader = (input) => {
  const { values } = jsonLines(
    input.stdout
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .join('\n'),
  )
  const tests = new Map<string, GoTest>()
  const packages = new Map<string, GoTest>()
  let built = ''
  for (const event of values.map(fields)) {
    const action = text(event['Action'])
    const output = text(event['Output'])
    if (action === 'build-output') built += output
    const pack = text(event['Package'])
    if (pack === '') continue
    const test = text(event['Test'])
    const into = test === '' ? packages : tests
    const key = `${pack}\n${test}`
    const it = into.get(key) ?? { package: pack, test, action: 'run', output: '' }
    into.set(key, it)
    if (action === 'output' && it.output.length < MOST_OUTPUT) it.output += output
    if (ENDS.has(action)) it.action = action
  }
  const all = [...tests.values()]
  // A line that a person wrote comes without the name of the module: then the shortest package is taken for it.
  const module =
    input.env['REEVE_GO_MODULE'] ?? [...packages.values(), ...all].map((it) => it.package).toSorted((a, b) => a.length - b.length)[0] ?? ''
  const findings = readLines(`${input.stdout}\n${input.stderr}\n${built}`, 'compiler', input.place)
  const broken = uncompiled(findings)
  const silent = [...packages.values()].filter(
    (it) => it.action === 'fail' && !all.some((test) => test.package === it.package && test.action !== 'pass' && test.action !== 'skip'),
  )
  // A package that failed without a failed test: its set-up, a data race, or it did not compile, and then the files say so.
  const outside = silent
    .filter((it) => !(broken.length > 0 && /\[(?:build|setup) failed\]/.test(it.output)))
    .map(
      (it): TestCase => ({
        name: it.package,
        file: null,
        line: null,
        status: 'failed',
        failure: 'error',
        message: input.clean(it.output) || 'The package failed.',
      }),
    )
  const cases = uniqueNames([...ownCases(all).map((it) => toCase(it, module, input)), ...broken, ...outside])
  if (values.length === 0 && cases.length === 0 && input.exitCode !== 0) return { ...NOTHING, findings }
  return { ...NOTHING, cases }
}

/** The cover profile of `go test -coverprofile`. */
export const readGoCoverage: Reader = (input) => {
  const [report] = input.reports
  if (!report) return NOTHING
  const { coverage, problem } = readGoCover(report.text, input.env['REEVE_GO_MODULE'] ?? '', input.place)
  return { ...NOTHING, coverage, problem: problem === null ? null : `The cover profile is broken: ${problem}.` }
}
