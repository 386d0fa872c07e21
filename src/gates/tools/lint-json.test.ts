import { describe, expect, it } from 'vitest'
import { readerInput } from '../../../test/support/reader-input.ts'
import type { Reader } from '../reports/reading.ts'
import { readBiome, readCoveragePy, readCredo, readEslint, readOxlint, readPyright, readRubocop, readRuff } from './lint-json.ts'

const outline = (read: Reader, value: unknown) =>
  read(readerInput({ stdout: `some notice\n${JSON.stringify(value)}` })).findings.map(
    (it) => `${it.file}:${it.line} ${it.severity} ${it.rule}: ${it.message}`,
  )

describe('the report of', () => {
  it('eslint', () => {
    const messages = [
      { ruleId: 'no-undef', severity: 2, message: 'x is not defined', line: 3, column: 1 },
      { ruleId: 'semi', severity: 1, message: 'Missing', line: 4 },
      { ruleId: null, fatal: true, severity: 2, message: 'Parsing error' },
    ]
    expect(
      outline(readEslint, [
        { filePath: '/root/project/src/a.js', messages },
        { filePath: '/root/project/b.js', messages: [] },
      ]),
    ).toEqual([
      'src/a.js:3 error no-undef: x is not defined',
      'src/a.js:4 warning semi: Missing',
      'src/a.js:null error eslint: Parsing error',
    ])
  })

  it('biome, new and old', () => {
    const diagnostics = [
      {
        severity: 'error',
        message: 'No debugger.',
        category: 'lint/suspicious/noDebugger',
        location: { path: 'bad.js', start: { line: 1, column: 12 } },
      },
      { severity: 'error', message: 'Not formatted', category: 'format', location: { path: 'bad.js', start: { line: 0 } } },
      {
        severity: 'warning',
        message: [{ elements: [], content: 'Two ' }, { content: 'parts' }],
        category: 'lint/x',
        location: { path: { file: 'old.js' }, span: [1, 2] },
      },
    ]
    expect(outline(readBiome, { summary: {}, diagnostics })).toEqual([
      'bad.js:1 error lint/suspicious/noDebugger: No debugger.',
      'bad.js:null error format: Not formatted',
      'old.js:null warning lint/x: Two parts',
    ])
  })

  it('oxlint', () => {
    const diagnostics = [
      {
        message: 'No debugger',
        code: 'eslint(no-debugger)',
        severity: 'warning',
        filename: 'bad.js',
        labels: [{ span: { line: 1, column: 12 } }],
      },
    ]
    expect(outline(readOxlint, { diagnostics })).toEqual(['bad.js:1 warning eslint(no-debugger): No debugger'])
  })

  it('ruff', () => {
    const value = [
      { code: 'F401', filename: '/root/project/a.py', location: { row: 1, column: 8 }, message: '`os` imported but unused' },
      { code: null, filename: 'b.py', location: { row: 2 }, message: 'SyntaxError' },
    ]
    expect(outline(readRuff, value)).toEqual(['a.py:1 error F401: `os` imported but unused', 'b.py:2 error ruff: SyntaxError'])
  })

  it('pyright, whose lines count from 0', () => {
    const generalDiagnostics = [
      { file: '/root/project/a.py', severity: 'error', message: 'bad', rule: 'reportX', range: { start: { line: 4 } } },
      { file: 'b.py', severity: 'information', message: 'note' },
    ]
    expect(outline(readPyright, { generalDiagnostics })).toEqual(['a.py:5 error reportX: bad', 'b.py:null info pyright: note'])
  })

  it('rubocop and credo', () => {
    const offenses = [
      { severity: 'convention', message: 'm', cop_name: 'Style/X', location: { start_line: 2 } },
      { severity: 'info', message: 'n', cop_name: 'Y', location: { line: 3 } },
    ]
    expect(outline(readRubocop, { files: [{ path: 'a.rb', offenses }] })).toEqual(['a.rb:2 error Style/X: m', 'a.rb:3 info Y: n'])
    expect(outline(readCredo, { issues: [{ filename: 'lib/a.ex', line_no: 3, check: 'Credo.X', message: 'm' }] })).toEqual([
      'lib/a.ex:3 warning Credo.X: m',
    ])
  })

  it('coverage.py', () => {
    const { coverage } = readCoveragePy(
      readerInput({
        report: JSON.stringify({
          files: { 'a.py': { executed_lines: [1, 2], missing_lines: [4] }, '/elsewhere/b.py': { executed_lines: [1] } },
        }),
      }),
    )
    expect(coverage?.files).toEqual([{ path: 'a.py', lines: { 1: 1, 2: 1, 4: 0 } }])
  })

  it.each([readEslint, readBiome, readOxlint, readRuff, readPyright, readRubocop, readCredo, readCoveragePy])(
    'any of them may be broken or empty',
    (read) => {
      for (const report of ['null', '1', '"x"', '[]', '{}', '[null, 1, {}]', '{"files": [null], "diagnostics": [null], "issues": 3}'])
        expect(() => read(readerInput({ report })), report).not.toThrow()
      expect(read(readerInput({ report: '{"files": [' })).problem).toMatch(/^The report of /)
      expect(read(readerInput({ stdout: 'no json here' })).problem).toBeNull()
    },
  )
})
