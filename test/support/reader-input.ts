import type { ReaderInput } from '../../src/gates/reports/reading.ts'
import { places } from '../../src/gates/tools/place.ts'

/** What a reader gets of a checkout at `/root/project`: give the report, or the output. */
export function readerInput(parts: Partial<ReaderInput> & { report?: string; cwd?: string }): ReaderInput {
  const { report, cwd, ...rest } = parts
  return {
    stdout: '',
    stderr: '',
    exitCode: 1,
    env: {},
    reportPath: report === undefined ? null : '{report}/report',
    reports: report === undefined ? [] : [{ path: '/reports/report', text: report }],
    extra: [],
    ...places(['/root/project'], cwd ?? '.', ['/reports']),
    ...rest,
  }
}
