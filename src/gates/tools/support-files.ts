import type { DetectedCommand } from '../../scanner/port.ts'
import { EXUNIT_FORMATTER, EXUNIT_FORMATTER_FILE } from './exunit-formatter.ts'
import { UNITTEST_RUNNER, UNITTEST_RUNNER_FILE } from './unittest-runner.ts'

const FILES: readonly (readonly [string, string])[] = [
  [UNITTEST_RUNNER_FILE, UNITTEST_RUNNER],
  [EXUNIT_FORMATTER_FILE, EXUNIT_FORMATTER],
]

/** Files of reeve's own that a command names below `{report}`: they must be there before it starts. */
export function supportFiles(command: DetectedCommand): (readonly [string, string])[] {
  const words = [command.argv, ...(command.prepare ?? []).map((it) => it.argv)].flat()
  return FILES.filter(([name]) => words.includes(`{report}/${name}`))
}
