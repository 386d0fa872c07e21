import type { Entry } from '../entry.ts'

const level = 'always'
const STATE_TEST = 'src/operations/state/state.test.ts'
const HARMED = { file: STATE_TEST, name: 'is refused and changes nothing' }

/** What is told about the process, and what is brought back into it. */
export const STATE_ENTRIES: readonly Entry[] = [
  {
    case: '31z',
    title: 'a sequence for terminals in the log of the daemon',
    level,
    test: { file: 'src/telemetry/logger.test.ts', name: 'does nothing to a terminal and begins no line of its own' },
    file: 'src/telemetry/logger.ts',
    from: 'write(`${jsonText(line)}\\n`)',
    to: 'write(`${JSON.stringify(line)}\\n`)',
  },
  {
    case: '50w',
    title: 'a secret in the log of the daemon',
    level,
    test: { file: 'src/telemetry/logger.test.ts', name: 'takes secrets out of messages, fields' },
    file: 'src/telemetry/logger.ts',
    from: "if (typeof value === 'string') return redact(cut(value))",
    to: "if (typeof value === 'string') return cut(value)",
  },
  {
    case: '50x',
    title: 'a secret in the label of a metric',
    level,
    test: { file: 'src/telemetry/metrics.test.ts', name: 'takes secrets out of labels' },
    file: 'src/telemetry/metrics.ts',
    from: 'oneLine(redact(value))',
    to: 'oneLine(value)',
  },
  {
    case: '50y',
    title: 'a secret in the report for others',
    level,
    test: { file: 'src/operations/report/report.test.ts', name: 'holds what helps, and none of the secrets' },
    file: 'src/operations/report/private-words.ts',
    from: 'const known = redact(text.length > LONGEST',
    to: 'const known = String(text.length > LONGEST',
  },
  {
    case: '53a',
    title: 'a backup that names paths outside of it',
    level,
    test: { file: STATE_TEST, name: 'is refused when it names the path' },
    file: 'src/operations/state/manifest.ts',
    from: ".refine(isSafePath, 'must be a plain path within the backup')",
    to: '',
  },
  {
    case: '53e',
    title: 'a backup that brings the token of the next daemon',
    level,
    test: { file: STATE_TEST, name: 'is refused when it names the path' },
    file: 'src/operations/state/manifest.ts',
    from: 'return plain && !isLeftOut &&',
    to: 'return plain &&',
  },
  {
    case: '53b',
    title: 'a link in the place of a file of a backup',
    level,
    test: HARMED,
    file: 'src/operations/state/files.ts',
    from: 'constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK',
    to: 'constants.O_RDONLY | constants.O_NONBLOCK',
  },
  {
    case: '53c',
    title: 'a file of a backup with other content',
    level,
    test: HARMED,
    file: 'src/operations/state/restore-backup.ts',
    from: 'found.bytes !== file.bytes || found.sha256 !== file.sha256',
    to: 'found.bytes !== file.bytes',
  },
  {
    case: '53d',
    title: 'a backup that others may write to',
    level,
    test: HARMED,
    file: 'src/operations/state/manifest.ts',
    from: '(found.mode & 0o022) !== 0',
    to: 'found.mode < 0',
  },
]
