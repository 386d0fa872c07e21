import { problemOf } from '../../core/errors.ts'
import { type Json, parseJson } from '../../core/json.ts'
import type { TestCase } from '../port.ts'
import { NOTHING, type Reader, type ReaderInput, type Reading, uniqueNames } from '../reports/reading.ts'
import { fields, lineNumber, list, text } from '../reports/sarif.ts'
import { lineIn } from './junit-cases.ts'

/** The JSON of a report, or the sentence that says how it is broken. */
export function jsonOf(source: string, name: string): { value: Json; problem: null } | { value: null; problem: string } {
  try {
    return { value: parseJson(source, name), problem: null }
  } catch (error) {
    return { value: null, problem: problemOf(error) }
  }
}

/** A reader of one JSON document: the report file; standard output where that is the report, or `always` when there is no file. */
export function jsonReader(name: string, read: (value: Json, input: ReaderInput) => Reading, always = false): Reader {
  return (input) => {
    const printed = input.reportPath === null || always ? jsonIn(input.stdout) : ''
    const source = input.reports[0]?.text ?? printed
    if (source.trim() === '') return NOTHING
    const { value, problem } = jsonOf(source, `The report of ${name}`)
    return problem === null ? read(value, input) : { ...NOTHING, problem }
  }
}

/** The JSON document in an output that may have a few lines of text around it. */
function jsonIn(output: string): string {
  if (/^\s*[[{]/.test(output)) return output
  const at = output.search(/^[[{]/m)
  return at < 0 ? '' : output.slice(at)
}

const JEST_ASSERTION = /^(?:AssertionError|JestAssertionError|Error: expect\(|expect\(|Error: .*toMatchSnapshot|.*ERR_ASSERTION)/

function jestFile(suite: Json, input: ReaderInput): TestCase[] {
  const it = fields(suite)
  const path = text(it['name']) || text(it['testFilePath'])
  const file = input.place(path)
  const results = list(it['assertionResults']).map((item): TestCase => {
    const one = fields(item)
    const failed = text(one['status']) === 'failed'
    const messages = list(one['failureMessages']).map(text)
    const message = input.clean(messages.join('\n\n'))
    const titles = [...list(one['ancestorTitles']).map(text), text(one['title'])]
    return {
      name: [file ?? path, ...titles].join(' > '),
      file,
      line: (failed ? lineIn(message, file) : null) ?? lineNumber(fields(one['location'])['line']),
      status: failed ? 'failed' : text(one['status']) === 'passed' ? 'passed' : 'skipped',
      failure: failed ? (messages.some((m) => JEST_ASSERTION.test(input.clean(m))) ? 'assertion' : 'error') : null,
      message: failed ? message : '',
    }
  })
  // A file that could not be loaded has a message and no results.
  if (text(it['status']) !== 'failed' || results.some((one) => one.status === 'failed')) return results
  const message = input.clean(text(it['message']))
  return [...results, { name: file ?? path, file, line: lineIn(message, file), status: 'failed', failure: 'error', message }]
}

/** jest `--json`, and vitest's reporter of the same shape. */
export const readJest = jsonReader('jest', (value, input) => {
  const suites = fields(value)['testResults']
  if (!Array.isArray(suites)) return { ...NOTHING, problem: 'The report of jest has no "testResults".' }
  return { ...NOTHING, cases: uniqueNames(suites.flatMap((it) => jestFile(it, input))) }
})

/** mocha `--reporter json`; before 9.2 it knew no file and printed its report. */
export const readMocha = jsonReader(
  'mocha',
  (value, input) => {
    const top = fields(value)
    if (!Array.isArray(top['tests'])) return { ...NOTHING, problem: 'The report of mocha has no "tests".' }
    const pending = new Set(list(top['pending']).map((it) => text(fields(it)['fullTitle'])))
    const seen = new Set<string>()
    const cases = [...top['tests'], ...list(top['failures'])].flatMap((item): TestCase[] => {
      const one = fields(item)
      const error = fields(one['err'])
      const file = input.place(text(one['file']))
      const name = [file, text(one['fullTitle'])].filter((it) => it !== null && it !== '').join(' > ')
      const failed = Object.keys(error).length > 0
      // Failed tests stand in both lists; failed hooks only among the failures.
      if (list(top['failures']).includes(item) && seen.has(`${name}\n${text(error['stack'])}`)) return []
      seen.add(`${name}\n${text(error['stack'])}`)
      const message = input.clean(text(error['stack']) || text(error['message']))
      const asserted =
        text(error['code']) === 'ERR_ASSERTION' ||
        text(error['name']).startsWith('Assertion') ||
        message.startsWith('AssertionError') ||
        'expected' in error
      return [
        {
          name,
          file,
          line: failed ? lineIn(message, file) : null,
          status: failed ? 'failed' : pending.has(text(one['fullTitle'])) ? 'skipped' : 'passed',
          failure: failed ? (asserted && !/"(?:before|after) (?:each|all)" hook/.test(text(one['title'])) ? 'assertion' : 'error') : null,
          message: failed ? message : '',
        },
      ]
    })
    return { ...NOTHING, cases: uniqueNames(cases) }
  },
  true,
)

/** One JSON object per line; broken lines are counted, not fatal. */
export function jsonLines(source: string): { values: Json[]; broken: number } {
  let broken = 0
  const values = source.split('\n').flatMap((line): Json[] => {
    if (line.trim() === '') return []
    const { value, problem } = jsonOf(line, 'A line')
    if (problem !== null) broken++
    return problem === null ? [value] : []
  })
  return { values, broken }
}

/** The records of reeve's own unittest runner. */
export const readUnittest: Reader = (input) => {
  const [report] = input.reports
  if (!report) return NOTHING
  const { values } = jsonLines(report.text)
  const cases = values.flatMap((item): TestCase[] => {
    const one = fields(item)
    if (!('id' in one)) return []
    const file = input.place(text(one['file']))
    const id = text(one['id'])
    // `unittest.loader._FailedTest.test_b`: a module that cannot be imported.
    const lost = /^unittest\.loader\._FailedTest\.(.+)$/.exec(id)
    const failure = text(one['failure'])
    return [
      {
        name: input.clean(lost ? (lost[1] ?? id) : id.replaceAll(/(?<=\w)\.(?=\w)/g, ' > ')),
        file: lost ? importedFrom(text(one['message']), input) : file,
        line: lineNumber(one['line']),
        status: one['status'] === 'failed' ? 'failed' : one['status'] === 'skipped' ? 'skipped' : 'passed',
        failure: failure === 'assertion' || failure === 'error' ? failure : null,
        message: input.clean(text(one['message'])),
      },
    ]
  })
  const ended = values.some((it) => fields(it)['done'] === true)
  return { ...NOTHING, cases: uniqueNames(cases), problem: ended ? null : 'The tests did not end: the report stops in the middle.' }
}

/** The last file of the checkout that a traceback names. */
function importedFrom(trace: string, input: ReaderInput): string | null {
  return [...trace.matchAll(/File "([^"]+)"/g)].map((it) => input.place(it[1] ?? '')).findLast((it) => it !== null) ?? null
}
