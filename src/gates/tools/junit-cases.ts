import type { TestCase } from '../port.ts'
import { type JunitCase, readJunit } from '../reports/junit.ts'
import { NOTHING, type Reader, type ReaderInput, type Reading, uniqueNames } from '../reports/reading.ts'

/** How one tool's JUnit is understood. */
export interface JunitDialect {
  /** null leaves the case out (no test of its own). */
  name(it: JunitCase, input: ReaderInput): string | null
  /** `report`: path of the file it stands in. */
  file(it: JunitCase, input: ReaderInput, report: string): string | null
  line?(it: JunitCase, input: ReaderInput, file: string | null): number | null
  /** Whether a failure is an expectation that did not hold. */
  asserted(it: JunitCase): boolean
  status?(it: JunitCase): TestCase['status']
}

/** What an assertion looks like in most tools: the type, or the beginning of the message. */
export const ASSERTION =
  /Assertion(?:Failed)?Error|AssertionException|ComparisonFailure|ExpectationNotMet|MultipleFailuresError|^expect\(|^assert/

export function failureText(it: JunitCase): string {
  const seen = new Set<string>()
  return it.failures
    .map((failure) => (failure.text.includes(failure.message.trim()) ? failure.text : `${failure.message}\n${failure.text}`).trim())
    .filter((text) => !seen.has(text) && seen.add(text))
    .join('\n\n')
}

/** The first place in the case's own file that a stack names. */
export function lineIn(text: string, file: string | null): number | null {
  if (file === null) return null
  const name = file.split('/').at(-1) ?? file
  const at = text.indexOf(`${name}:`)
  const found = at < 0 ? null : /^:(\d+)/.exec(text.slice(at + name.length))
  return found ? Number(found[1]) : null
}

export function toTestCase(it: JunitCase, dialect: JunitDialect, input: ReaderInput, report: string): TestCase | null {
  const name = dialect.name(it, input)
  if (name === null) return null
  const status = dialect.status?.(it) ?? it.status
  const message = input.clean(failureText(it))
  const file = dialect.file(it, input, report)
  return {
    name: input.clean(name),
    file,
    line: dialect.line?.(it, input, file) ?? it.line ?? lineIn(message, file),
    status,
    failure: status === 'failed' ? (dialect.asserted(it) ? 'assertion' : 'error') : null,
    message: status === 'failed' ? message || it.skipMessage || 'failed without a message' : input.clean(it.skipMessage),
  }
}

/** A reader for a tool that writes JUnit into the report of the command. */
export function junitReader(dialect: JunitDialect): Reader {
  return (input): Reading => {
    if (input.reports.length === 0) return NOTHING
    const read = input.reports.map((it) => readJunit(it.text))
    const broken = input.reports.find((_, at) => read[at]?.problem)
    const problem = broken
      ? `The JUnit report ${broken.path.split('/').at(-1)} is broken: ${read[input.reports.indexOf(broken)]?.problem}.`
      : null
    const cases = read.flatMap((it, at) => it.cases.flatMap((one) => toTestCase(one, dialect, input, input.reports[at]?.path ?? '') ?? []))
    return { ...NOTHING, cases: uniqueNames(cases), problem }
  }
}

const joined = (...parts: readonly (string | null)[]) => parts.filter((it) => it !== null && it !== '').join(' > ')

/** JUnit of a tool that we do not know. */
export const ANY_JUNIT: JunitDialect = {
  file: (it, input) => (it.file === null ? null : input.place(it.file)),
  name: (it, input) => joined(it.file === null ? it.className || it.suites.at(-1) || '' : (input.place(it.file) ?? it.file), it.name),
  asserted: (it) => it.failures.some((f) => f.kind === 'failure' && (f.type === '' || ASSERTION.test(f.type) || ASSERTION.test(f.message))),
}

/** vitest: the class is the file, the name has the titles already. A file that broke is a case with the file's name. */
export const VITEST_JUNIT: JunitDialect = {
  file: (it, input) => input.place(it.className),
  name: (it, input) => {
    const file = input.place(it.className) ?? it.className
    return it.name === it.className ? file : joined(file, it.name)
  },
  asserted: (it) =>
    it.failures.some((f) => /AssertionError|^Assertion/.test(f.type) || /^(?:AssertionError|Error: Snapshot )/.test(f.text)),
}

/** node:test: suites nest, the file is absolute. A file without any test is reported as one that passed: it is none. */
export const NODE_JUNIT: JunitDialect = {
  file: (it, input) => (it.file === null ? null : input.place(it.file)),
  name(it, input) {
    const file = it.file === null ? null : (input.place(it.file) ?? it.file)
    const itself = it.suites.length === 0 && (it.name === it.file || input.place(it.name) === file)
    if (itself) return it.status === 'failed' ? file : null
    return joined(file, ...it.suites, it.name)
  },
  // The stack names the runner's own lines first; the last one of the file is where the test is.
  line: (it, _input, file) => lineIn((/cause: [\s\S]*/.exec(failureText(it)) ?? [''])[0], file),
  asserted: (it) => it.failures.some((f) => f.text.includes('ERR_ASSERTION') || /cause: \w*AssertionError/.test(f.text)),
}

const BUN_ASSERTION = /expect\(|AssertionError|assert/
export const BUN_JUNIT: JunitDialect = {
  ...ANY_JUNIT,
  name: (it, input) => joined(it.file === null ? null : input.place(it.file), it.className, it.name),
  asserted: (it) => it.failures.some((f) => f.type === 'AssertionError' || BUN_ASSERTION.test(f.message)),
}

/** pytest (xunit1): an exception in the test is a `failure` of any type, in a fixture or at collection an `error`. Lines count from 0. */
export const PYTEST_JUNIT: JunitDialect = {
  file: (it, input) => (it.file === null ? null : input.place(it.file)),
  line: (it, _input, file) => lineIn(failureText(it), file) ?? (it.line === null ? null : it.line + 1),
  name(it, input) {
    const file = it.file === null ? null : (input.place(it.file) ?? it.file)
    const module = (it.file ?? '').replace(/\.py$/, '').replaceAll('/', '.')
    if (it.className === '') return file ?? it.name
    const inner = it.className === module || module.endsWith(`.${it.className}`) ? '' : it.className.replace(`${module}.`, '')
    return joined(file, inner.replaceAll('.', ' > '), it.name)
  },
  asserted: (it) =>
    it.failures.some((f) => f.kind === 'failure' && /^(?:AssertionError|assert\b|Failed: |\[XPASS\(strict\)\])/.test(f.message.trim())),
}

/** The source of a test class: below the module that wrote the report, at the usual place. Whether it is there is checked later. */
function javaSource(className: string, report: string): string {
  const module = report.replace(/\/(?:target|build)\/.*$/, '')
  return `${module}/src/test/java/${className.replace(/\$.*$/, '').replaceAll('.', '/')}.java`
}

/** Surefire, Gradle: the class is fully qualified; types are the exception's class. */
export const JAVA_JUNIT: JunitDialect = {
  file: (it, input, report) => input.place(javaSource(it.className, report)),
  name: (it) => joined(it.className, it.name),
  asserted: (it) => it.failures.some((f) => ASSERTION.test(f.type) || (f.kind === 'failure' && f.type === '')),
}
