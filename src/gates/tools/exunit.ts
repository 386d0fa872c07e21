import type { TestCase } from '../port.ts'
import { NOTHING, type Reader, type ReaderInput, uniqueNames } from '../reports/reading.ts'
import { fields, lineNumber, text } from '../reports/sarif.ts'
import { jsonLines } from './json-cases.ts'
import { lineIn } from './junit-cases.ts'

/** A test file that does not compile ends the run before the formatter hears of anything. */
function uncompiled(input: ReaderInput): TestCase[] {
  const output = `${input.stdout}\n${input.stderr}`
  const found =
    /^\*\* \((\w+(?:\.\w+)*)\) (\S+?\.exs?):(\d+)(?::\d+)?: (.*)$/m.exec(output) ??
    /== Compilation error in file ()(\S+?\.exs?)()( )==/.exec(output)
  if (!found) return []
  const file = input.place(found[2] ?? '')
  const message = input.clean(output.slice(Math.max(0, found.index - 1000), found.index + 1000))
  return [
    { name: file ?? found[2] ?? '', file, line: Number(found[3]) || lineIn(message, file), status: 'failed', failure: 'error', message },
  ]
}

/** The records of reeve's own ExUnit formatter. */
export const readExunit: Reader = (input) => {
  const [report] = input.reports
  if (!report || report.text.trim() === '') {
    const broken = input.exitCode === 0 ? [] : uncompiled(input)
    return { ...NOTHING, cases: broken.length > 0 ? broken : null }
  }
  const { values } = jsonLines(report.text)
  const cases = values.map(fields).flatMap((one): TestCase[] => {
    if (!('name' in one)) return []
    const file = input.place(text(one['file']))
    const failure = text(one['failure'])
    const failed = text(one['status']) === 'failed'
    const message = input.clean(text(one['message']))
    return [
      {
        name: `${text(one['module'])} > ${text(one['name']).replace(/^test /, '')}`,
        file,
        line: (failed ? lineIn(message, file) : null) ?? lineNumber(one['line']),
        status: failed ? 'failed' : text(one['status']) === 'passed' ? 'passed' : 'skipped',
        failure: failed ? (failure === 'assertion' ? 'assertion' : 'error') : null,
        message,
      },
    ]
  })
  const ended = values.some((it) => fields(it)['done'] === true)
  return { ...NOTHING, cases: uniqueNames(cases), problem: ended ? null : 'The tests did not end: the report stops in the middle.' }
}
