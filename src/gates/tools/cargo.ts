import type { Finding, TestCase } from '../port.ts'
import { finding, NOTHING, type Reader, type ReaderInput, uniqueNames } from '../reports/reading.ts'
import { fields, lineNumber, list, text } from '../reports/sarif.ts'
import { uncompiled } from './ctest.ts'
import { jsonLines } from './json-cases.ts'

/** `Running unittests src/lib.rs (target/debug/deps/demo-8348ca7a80742723)` and `Doc-tests demo`, on standard error. */
const TARGET = /^\s*(?:Running (?:unittests )?(\S+) \(.*?([^/\\(]+?)-[0-9a-f]{8,}(?:\.exe)?\)|Doc-tests (\S+))\s*$/gm
const RESULT = /^test (.+?)(?: - should panic)? \.\.\. (ok|FAILED|ignored|bench)\b(?:, (.*))?$/
const PANIC = /panicked at (?:'[^']*', )?([^\s:,]+\.rs):(\d+)/
const ASSERTED = /^assertion |^assertion `|panicked at 'assertion |note: test did not panic as expected|^panicked at.*\nassertion/m

interface Target {
  title: string
  file: string | null
}

function targetsOf(stderr: string): Target[] {
  return [...stderr.matchAll(TARGET)].map((it) =>
    it[3] === undefined ? { title: it[2] ?? '', file: it[1] ?? null } : { title: `${it[3]} (doc)`, file: null },
  )
}

/** What stands below `---- name stdout ----`. */
function detailsOf(section: string): Map<string, string> {
  const details = new Map<string, string>()
  for (const part of section.split(/^---- /m).slice(1)) {
    const end = part.indexOf(' stdout ----')
    if (end < 0) continue
    details.set(
      part.slice(0, end),
      part
        .slice(end + ' stdout ----'.length)
        .split(/^failures:$/m)[0]
        ?.trim() ?? '',
    )
  }
  return details
}

function sectionCases(section: string, target: Target, input: ReaderInput): TestCase[] {
  const details = detailsOf(section)
  const cases = section.split('\n').flatMap((line): TestCase[] => {
    const found = RESULT.exec(line.trimEnd())
    if (!found) return []
    const [, name = '', result, note] = found
    const failed = result === 'FAILED'
    const message = failed ? input.clean((details.get(name) ?? '').replaceAll(/^(thread '[^']*') \(\d+\)/gm, '$1')) : ''
    const panic = PANIC.exec(message)
    const documented = /^(\S+\.rs) - /.exec(name)?.[1]
    const file = panic?.[1] ?? documented ?? target.file
    return [
      {
        name: [target.title, ...name.replace(/ \(line \d+\)$/, '').split('::')].join(' > '),
        file: file === null ? null : input.place(file),
        line: panic ? Number(panic[2]) : null,
        status: failed ? 'failed' : result === 'ignored' ? 'skipped' : 'passed',
        failure: failed ? (ASSERTED.test(message) ? 'assertion' : 'error') : null,
        message: failed ? message || 'The test failed without output.' : (note ?? ''),
      },
    ]
  })
  const announced = Number(/^running (\d+) tests?$/m.exec(section)?.[1] ?? 0)
  if (cases.length >= announced) return cases
  // An abort or a signal takes the whole program down before it has said who it was.
  return [
    ...cases,
    {
      name: `${target.title} > (test program)`,
      file: target.file === null ? null : input.place(target.file),
      line: null,
      status: 'failed',
      failure: 'error',
      message: `The test program ended after ${cases.length} of ${announced} tests.`,
    },
  ]
}

/** `error[E0425]: message` with ` --> src/lib.rs:22:28` below it. */
function compilerErrors(stderr: string, input: ReaderInput): Finding[] {
  return [...stderr.matchAll(/^(error|warning)(?:\[(\w+)\])?: (.+)\n\s*--> (\S+?):(\d+):\d+/gm)].map((it) =>
    finding({
      file: input.place(it[4] ?? ''),
      line: Number(it[5]),
      severity: it[1] === 'error' ? 'error' : 'warning',
      rule: it[2] ?? 'rustc',
      message: it[3] ?? '',
    }),
  )
}

/** `cargo test`: libtest's lines on standard output; which program they are from stands on standard error, in the same order. */
export const readCargoTest: Reader = (input) => {
  const targets = targetsOf(input.stderr)
  const sections = input.stdout.split(/^(?=running \d+ tests?$)/m).filter((it) => /^running \d+ tests?$/m.test(it))
  const cases = sections.flatMap((section, at) => sectionCases(section, targets[at] ?? { title: 'tests', file: null }, input))
  const findings = compilerErrors(input.stderr, input)
  const broken = input.exitCode === 0 ? [] : uncompiled(findings)
  if (sections.length === 0 && broken.length === 0) return { ...NOTHING, findings }
  return { ...NOTHING, cases: uniqueNames([...cases, ...broken]) }
}

/** `--message-format=json` of cargo build and clippy. */
export const readCargoMessages: Reader = (input) => {
  const { values } = jsonLines(
    input.stdout
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .join('\n'),
  )
  const seen = new Set<string>()
  const findings = values.map(fields).flatMap((event): Finding[] => {
    const message = fields(event['message'])
    const span = fields(list(message['spans']).find((it) => fields(it)['is_primary'] === true))
    const level = text(message['level'])
    if (text(event['reason']) !== 'compiler-message' || (level !== 'error' && level !== 'warning')) return []
    // "aborting due to 2 previous errors" has no place and says nothing new.
    if (text(span['file_name']) === '') return []
    const one = finding({
      file: input.place(text(span['file_name'])),
      line: lineNumber(span['line_start']),
      severity: level,
      rule: text(fields(message['code'])['code']) || 'rustc',
      message: input.clean(text(message['message'])),
    })
    // The library and its tests are compiled apart and say the same twice.
    const key = `${one.file}:${one.line}:${one.rule}:${one.message}`
    return seen.has(key) ? [] : (seen.add(key), [one])
  })
  return { ...NOTHING, findings }
}
