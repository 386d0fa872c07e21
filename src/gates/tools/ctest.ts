import type { Finding, TestCase } from '../port.ts'
import { type JunitCase, readJunit } from '../reports/junit.ts'
import { readLines } from '../reports/lines.ts'
import { NOTHING, type Reader, type ReaderInput, type ReportFile, uniqueNames } from '../reports/reading.ts'
import { failureText } from './junit-cases.ts'

/** `[ RUN      ] Suite.Test` and its end in the output of a googletest program. */
const RUN = /^\[ RUN +\] (\S+)$/gm
const ENDED = /^\[ +(?:OK|FAILED|SKIPPED) +\] (\S+?),? (?:where .*)?\(\d+ ms\)$/gm

/** A googletest id is `Suite.Test`; the other way round as titles. */
function titleOf(suite: string, test: string): string {
  return `${suite} > ${test}`
}

/** Reads the XML files of googletest programs. Listings (`--gtest_list_tests`) have no status and are left out. */
export function readGoogletest(files: readonly ReportFile[], input: ReaderInput): Map<string, TestCase> {
  const cases = new Map<string, TestCase>()
  for (const it of files.flatMap((file) => readJunit(file.text).cases)) {
    const status = it.attributes['status']
    if (status === undefined) continue
    const suite = it.className || (it.suites.at(-1) ?? '')
    const message = input.clean(failureText(it))
    const file = it.file === null ? null : input.place(it.file)
    const skipped = status === 'notrun' || it.attributes['result'] === 'skipped' || it.attributes['result'] === 'suppressed'
    const failed = it.failures.length > 0
    // `unknown file` is what googletest says of an exception that left the test.
    const threw = /^(?:unknown file|C\+\+ exception )/m.test(message)
    const where = /:(\d+)(?::|\n| )/.exec(message)
    const found: TestCase = {
      name: titleOf(suite, it.name),
      file,
      line: failed && where ? Number(where[1]) : it.line,
      status: failed ? 'failed' : skipped ? 'skipped' : 'passed',
      failure: failed ? (threw ? 'error' : 'assertion') : null,
      message: failed ? message : '',
    }
    const id = `${suite}.${it.name}`
    // A test that ran in two programs or twice: the failure counts.
    if (cases.get(id)?.status !== 'failed') cases.set(id, found)
  }
  return cases
}

const NO_TEST_AT_ALL = /Unable to find executable|Required Files Missing|Fixture dependency failed|NOT_AVAILABLE/i
const ABORTED = /\bassert(?:ion)?\b.*failed/i

/** What became of a program that wrote no report of its own. */
function plainCase(it: JunitCase, input: ReaderInput): TestCase {
  const status = it.attributes['status']
  const output = input.clean(it.output)
  const absent = status === 'notrun' && NO_TEST_AT_ALL.test(`${it.skipMessage}\n${it.output}`)
  const failed = status === 'fail' || it.failures.length > 0 || absent
  // An empty message is CTest's for "ended with another exit code", which is how a plain program says no; a signal has its name.
  const died = it.failures.some((f) => /segfault|exception|abort|timeout|illegal|interrupt|numerical|bus error/i.test(f.message))
  const asserted = !absent && (ABORTED.test(output) || !died)
  return {
    name: it.name,
    file: null,
    line: null,
    status: failed ? 'failed' : status === 'disabled' || status === 'notrun' || it.status === 'skipped' ? 'skipped' : 'passed',
    failure: failed ? (asserted ? 'assertion' : 'error') : null,
    message: failed
      ? [
          it.failures
            .map((f) => f.message)
            .join(' ')
            .trim(),
          absent ? it.skipMessage : '',
          output,
        ]
          .filter((text) => text !== '')
          .join('\n') || 'failed without output'
      : '',
  }
}

/** The googletest that was running when its program ended, by the output. */
function crashed(it: JunitCase, input: ReaderInput): TestCase | null {
  const ended = new Set([...it.output.matchAll(ENDED)].map((found) => found[1]))
  const open = [...it.output.matchAll(RUN)].map((found) => found[1] ?? '').findLast((id) => !ended.has(id))
  if (open === undefined || it.failures.length === 0) return null
  const [suite = '', ...test] = open.split('.')
  const output = input.clean(it.output)
  const message = `The test program ended while this test ran.\n${output.slice(-2000)}`
  return {
    name: titleOf(suite, test.join('.')),
    file: null,
    line: null,
    status: 'failed',
    failure: ABORTED.test(output) ? 'assertion' : 'error',
    message,
  }
}

/** One test of CTest, with the googletests that ran inside it. */
function explain(it: JunitCase, google: ReadonlyMap<string, TestCase>, input: ReaderInput): TestCase[] {
  const ids = [...new Set([...it.output.matchAll(RUN)].map((found) => found[1] ?? ''))]
  const inner = ids.flatMap((id) => google.get(id) ?? [])
  const own = plainCase(it, input)
  const crash = own.status === 'failed' ? crashed(it, input) : null
  if (crash) return [...inner.filter((one) => one.name !== crash.name), crash]
  if (inner.length === 0) return [own]
  // The program failed although all that it reported passed (a leak, a wrong exit code): its own case says so.
  return own.status === 'failed' && !inner.some((one) => one.status === 'failed') ? [...inner, own] : inner
}

/** A build that broke before any test ran: one failed case for each file that the compiler names. */
export function uncompiled(findings: readonly Finding[]): TestCase[] {
  const byFile = Map.groupBy(
    findings.filter((it) => it.severity === 'error' && it.file !== null),
    (it) => it.file ?? '',
  )
  return [...byFile].map(([file, found]) => ({
    name: file,
    file,
    line: found[0]?.line ?? null,
    status: 'failed' as const,
    failure: 'error' as const,
    message: found.map((it) => `${it.file}:${it.line ?? '?'}: ${it.message}`).join('\n'),
  }))
}

/** CTest's own report, with the googletest reports of the programs it ran. */
export const readCtest: Reader = (input) => {
  const [report] = input.reports
  if (!report) {
    const findings = readLines(`${input.stdout}\n${input.stderr}`, 'compiler', input.place)
    const broken = uncompiled(findings)
    // The cases tell what the compiler said of each file; what has no file (a linker) stays a finding.
    return {
      ...NOTHING,
      findings: findings.filter((it) => it.file === null || it.severity !== 'error'),
      cases: broken.length > 0 ? broken : null,
    }
  }
  const { cases, problem } = readJunit(report.text)
  const google = readGoogletest(
    input.extra.filter((it) => it.path.includes('/gtest/')),
    input,
  )
  const seen = new Set<string>()
  const all = cases
    .flatMap((it) => explain(it, google, input))
    .filter((it) => {
      // The same googletest may run by itself and in a CTest test for the whole program.
      const key = `${it.name}\n${it.status}`
      return it.name.includes(' > ') ? !seen.has(key) && seen.add(key) : true
    })
  const failed = new Set(all.filter((it) => it.status === 'failed').map((it) => it.name))
  const settled = all.filter((it) => it.status === 'failed' || !it.name.includes(' > ') || !failed.has(it.name))
  return { ...NOTHING, cases: uniqueNames(settled), problem: problem === null ? null : `The report of CTest is broken: ${problem}.` }
}
