import { stripVTControlCharacters } from 'node:util'
import { readCobertura, readJacoco, readLcov } from '../reports/coverage.ts'
import { readLines } from '../reports/lines.ts'
import { join, NOTHING, type Reader, type Reading, uniqueNames } from '../reports/reading.ts'
import { readSarif } from '../reports/sarif.ts'
import { looksLikeTap, readTap } from '../reports/tap.ts'
import { readGoogletest } from './ctest.ts'
import { jsonReader } from './json-cases.ts'
import { ANY_JUNIT, junitReader, PYTEST_JUNIT } from './junit-cases.ts'

/** lcov in the report of the command. */
export const readLcovReport: Reader = (input) => {
  const texts = input.reports.map((it) => it.text)
  if (texts.length === 0) return NOTHING
  const { coverage, problem } = readLcov(texts.join('\n'), input.place)
  return { ...NOTHING, coverage, problem: problem === null ? null : `The lcov report is broken: ${problem}.` }
}

export const readCoberturaReport: Reader = (input) => {
  const [report] = input.reports
  if (!report) return NOTHING
  const { coverage, problem } = readCobertura(report.text, input.place)
  return { ...NOTHING, coverage, problem: problem === null ? null : `The Cobertura report is broken: ${problem}.` }
}

/** JaCoCo names packages; sources lie below the module that wrote the report. */
export const readJacocoReport: Reader = (input) => {
  const readings = input.reports.map((report) => {
    const module = report.path.replace(/\/(?:target|build)\/.*$/, '')
    const find = (path: string) => input.place(`${module}/src/main/${path.endsWith('.kt') ? 'kotlin' : 'java'}/${path}`)
    const { coverage, problem } = readJacoco(report.text, find)
    return { ...NOTHING, coverage, problem: problem === null ? null : `The JaCoCo report is broken: ${problem}.` }
  })
  return readings.reduce<Reading>(join, NOTHING)
}

/** TAP from the report, else from standard output. */
export const readTapReport: Reader = (input) => {
  const source = stripVTControlCharacters(input.reports[0]?.text ?? input.stdout)
  if (input.reports.length === 0 && !looksLikeTap(source)) return NOTHING
  const { cases, problem } = readTap(source)
  const cleaned = cases.map((it) => ({ ...it, name: input.clean(it.name), message: input.clean(it.message) }))
  return { ...NOTHING, cases: uniqueNames(cleaned), problem: problem === null ? null : `The TAP output is broken: ${problem}.` }
}

export const readSarifReport: Reader = jsonReader('SARIF', (value, input) => ({
  ...NOTHING,
  findings: readSarif(value, input.place).map((it) => ({ ...it, message: input.clean(it.message) })),
}))

/** Tools that print a line per remark. */
export function textReader(tool: string): Reader {
  return (input) => ({ ...NOTHING, findings: readLines(`${input.stdout}\n${input.stderr}`, tool, input.place) })
}

const anyJunit = junitReader(ANY_JUNIT)
const pytestJunit = junitReader(PYTEST_JUNIT)

/**
 * A command that we do not know: googletest and pytest reports that it was led to write, reports at usual places, TAP on standard output;
 * else only its exit code counts, and what compilers in it say.
 */
export const readUnknown: Reader = (input) => {
  const readings: Reading[] = []
  const pytest = input.extra.filter((it) => it.path.endsWith('/pytest.xml'))
  if (pytest.length > 0) readings.push(pytestJunit({ ...input, reports: pytest }))
  const gtest = input.extra.filter((it) => it.path.includes('/gtest/'))
  if (gtest.length > 0) readings.push({ ...NOTHING, cases: uniqueNames([...readGoogletest(gtest, input).values()]) })
  const junit = input.reports.filter((it) => it.path.endsWith('.xml'))
  if (junit.length > 0) readings.push(anyJunit({ ...input, reports: junit }))
  const lcov = input.reports.filter((it) => it.path.endsWith('.info'))
  if (lcov.length > 0) readings.push(readLcovReport({ ...input, reports: lcov }))
  if (looksLikeTap(stripVTControlCharacters(input.stdout))) readings.push(readTapReport({ ...input, reports: [] }))
  const read = readings.reduce(join, NOTHING)
  const lines =
    input.exitCode === 0 ? [] : readLines(`${input.stdout}\n${input.stderr}`, 'output', input.place).filter((it) => it.severity === 'error')
  return { ...read, findings: [...read.findings, ...lines] }
}
