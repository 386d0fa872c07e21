import type { TestCase } from '../port.ts'
import { NOTHING, type Reader, uniqueNames } from '../reports/reading.ts'
import { fields, lineNumber, list, text } from '../reports/sarif.ts'
import { jsonReader } from './json-cases.ts'
import { lineIn } from './junit-cases.ts'

/** rspec `--format json`. Files that could not be loaded have no examples, only a message. */
export const readRspec = jsonReader('rspec', (value, input) => {
  const top = fields(value)
  if (!Array.isArray(top['examples'])) return { ...NOTHING, problem: 'The report of rspec has no "examples".' }
  const cases = top['examples'].map((item): TestCase => {
    const one = fields(item)
    const file = input.place(text(one['file_path']))
    const exception = fields(one['exception'])
    const failed = text(one['status']) === 'failed'
    const trace = list(exception['backtrace']).map(text).join('\n')
    return {
      name: [file, text(one['full_description'])].filter((it) => it !== null && it !== '').join(' > '),
      file,
      line: (failed ? lineIn(trace, file) : null) ?? lineNumber(one['line_number']),
      status: failed ? 'failed' : text(one['status']) === 'passed' ? 'passed' : 'skipped',
      failure: failed ? (/ExpectationNotMet|MultipleExpectations|Assertion/.test(text(exception['class'])) ? 'assertion' : 'error') : null,
      message: failed
        ? input.clean(`${text(exception['class'])}: ${text(exception['message'])}`)
        : input.clean(text(one['pending_message'])),
    }
  })
  const lost = list(top['messages']).flatMap((item): TestCase[] => {
    const message = input.clean(text(item))
    const name = /An error occurred while loading (\S+?)\.?$/m.exec(message)?.[1]
    const file = name === undefined ? null : input.place(name)
    return name === undefined
      ? []
      : [{ name: file ?? name, file, line: lineIn(message, file), status: 'failed', failure: 'error', message }]
  })
  return { ...NOTHING, cases: uniqueNames([...cases, ...lost]) }
})

const VERBOSE = /^(\S+?)#(test_.+?) = [\d.]+ s = ([.FESR])$/gm
const STATUS: Readonly<Record<string, TestCase['status']>> = { '.': 'passed', F: 'failed', E: 'failed', S: 'skipped' }
const DETAIL =
  /^\s+\d+\) (?:Failure|Error|Skipped):\n(\S+?)#(test_.+?)(?: \[(.+?):(\d+)\])?:\n([\s\S]*?)(?=^\s+\d+\) |^\d+ runs, |(?![\s\S]))/gm
const SUMMARY = /^(\d+) (?:runs|tests), \d+ assertions, /m

/** minitest with `-v`: a line per test, then the details of those that failed. */
export const readMinitest: Reader = (input) => {
  const details = new Map([...input.stdout.matchAll(DETAIL)].map((it) => [`${it[1]}#${it[2]}`, it]))
  const cases = [...input.stdout.matchAll(VERBOSE)].map((it): TestCase => {
    const [, group = '', test = '', mark = ''] = it
    const detail = details.get(`${group}#${test}`)
    const message = input.clean(detail?.[5] ?? '')
    const trace = /^\s+(\S+\.rb):(\d+):in /m.exec(message)
    const file = detail?.[3] ?? trace?.[1] ?? null
    return {
      name: `${group} > ${test}`,
      file: file === null ? null : input.place(file),
      line: Number(detail?.[4] ?? trace?.[2]) || null,
      status: STATUS[mark] ?? 'failed',
      failure: mark === 'F' ? 'assertion' : mark === 'E' ? 'error' : null,
      message: mark === '.' ? '' : message,
    }
  })
  const summary = SUMMARY.exec(input.stdout)
  if (!summary) return NOTHING
  // Without -v (a task that sets its own options) only the failed ones are known: then single tests are not.
  if (cases.length === 0 && Number(summary[1]) > 0) return NOTHING
  return { ...NOTHING, cases: uniqueNames(cases) }
}
