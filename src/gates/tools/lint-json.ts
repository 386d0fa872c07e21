import type { Finding } from '../port.ts'
import { finding, NOTHING } from '../reports/reading.ts'
import { fields, lineNumber, list, text } from '../reports/sarif.ts'
import { jsonReader } from './json-cases.ts'

const found = (findings: Finding[]) => ({ ...NOTHING, findings })

/** eslint `-f json`. */
export const readEslint = jsonReader('eslint', (value, input) =>
  found(
    list(value).flatMap((file) =>
      list(fields(file)['messages']).map((item) => {
        const one = fields(item)
        return finding({
          file: input.place(text(fields(file)['filePath'])),
          line: lineNumber(one['line']),
          severity: one['severity'] === 1 ? 'warning' : 'error',
          rule: text(one['ruleId']) || 'eslint',
          message: input.clean(text(one['message'])),
        })
      }),
    ),
  ),
)

/** ruff `--output-format json`. */
export const readRuff = jsonReader('ruff', (value, input) =>
  found(
    list(value).map((item) => {
      const one = fields(item)
      return finding({
        file: input.place(text(one['filename'])),
        line: lineNumber(fields(one['location'])['row']),
        rule: text(one['code']) || 'ruff',
        message: input.clean(text(one['message'])),
      })
    }),
  ),
)

const PYRIGHT_SEVERITY: Readonly<Record<string, Finding['severity']>> = { error: 'error', warning: 'warning', information: 'info' }

/** pyright `--outputjson`; its lines count from 0. */
export const readPyright = jsonReader('pyright', (value, input) =>
  found(
    list(fields(value)['generalDiagnostics']).map((item) => {
      const one = fields(item)
      const line = fields(fields(one['range'])['start'])['line']
      return finding({
        file: input.place(text(one['file'])),
        line: typeof line === 'number' ? line + 1 : null,
        severity: PYRIGHT_SEVERITY[text(one['severity'])] ?? 'error',
        rule: text(one['rule']) || 'pyright',
        message: input.clean(text(one['message'])),
      })
    }),
  ),
)

/** biome `--reporter=json`; earlier versions gave a path object and byte offsets instead of lines. */
export const readBiome = jsonReader('biome', (value, input) =>
  found(
    list(fields(value)['diagnostics']).map((item) => {
      const one = fields(item)
      const location = fields(one['location'])
      const path = text(location['path']) || text(fields(location['path'])['file'])
      const severity = text(one['severity'])
      const spoken =
        text(one['message']) ||
        list(one['message'])
          .map((it) => text(fields(it)['content']))
          .join('') ||
        text(one['description'])
      return finding({
        file: path === '' ? null : input.place(path),
        line: lineNumber(fields(location['start'])['line']),
        severity: severity === 'error' || severity === 'fatal' ? 'error' : severity === 'warning' ? 'warning' : 'info',
        rule: text(one['category']) || 'biome',
        message: input.clean(spoken),
      })
    }),
  ),
)

/** oxlint `-f json`. */
export const readOxlint = jsonReader('oxlint', (value, input) =>
  found(
    list(fields(value)['diagnostics']).map((item) => {
      const one = fields(item)
      const span = fields(fields(list(one['labels'])[0])['span'])
      return finding({
        file: input.place(text(one['filename'])),
        line: lineNumber(span['line']),
        severity: text(one['severity']) === 'error' ? 'error' : 'warning',
        rule: text(one['code']) || 'oxlint',
        message: input.clean(text(one['message'])),
      })
    }),
  ),
)

/** rubocop `--format json`. */
export const readRubocop = jsonReader('rubocop', (value, input) =>
  found(
    list(fields(value)['files']).flatMap((file) =>
      list(fields(file)['offenses']).map((item) => {
        const one = fields(item)
        const location = fields(one['location'])
        const severity = text(one['severity'])
        return finding({
          file: input.place(text(fields(file)['path'])),
          line: lineNumber(location['start_line']) ?? lineNumber(location['line']),
          // Every offence makes rubocop fail, whatever its department calls it.
          severity: severity === 'info' ? 'info' : 'error',
          rule: text(one['cop_name']) || 'rubocop',
          message: input.clean(text(one['message'])),
        })
      }),
    ),
  ),
)

/** credo `--format json`. */
export const readCredo = jsonReader('credo', (value, input) =>
  found(
    list(fields(value)['issues']).map((item) => {
      const one = fields(item)
      return finding({
        file: input.place(text(one['filename'])),
        line: lineNumber(one['line_no']),
        severity: 'warning',
        rule: text(one['check']) || 'credo',
        message: input.clean(text(one['message'])),
      })
    }),
  ),
)

/** coverage.py `json`: executed and missing lines by file. */
export const readCoveragePy = jsonReader('coverage.py', (value, input) => ({
  ...NOTHING,
  coverage: {
    files: Object.entries(fields(fields(value)['files'])).flatMap(([name, item]) => {
      const path = input.place(name)
      if (path === null) return []
      const lines: Record<number, number> = {}
      for (const line of list(fields(item)['missing_lines'])) if (typeof line === 'number') lines[line] = 0
      for (const line of list(fields(item)['executed_lines'])) if (typeof line === 'number') lines[line] = 1
      return [{ path, lines }]
    }),
  },
}))
