// What a command line does when it does nothing.
const NOTHING = /^(?:exit(?:\s+0)?|true|:|echo\b[^&|;]*|printf\b[^&|;]*|node\s+-e\s+(['"])(?:0?|process\.exit\(0?\))\1|\/bin\/true)?$/
const SWALLOWED = /(?:\|\||;|&&?)\s*(?:exit\s+0|true|:|echo\b[^&|;]*)\s*$/
const PIPED = /[^|]\|[^|]/

/** Options that leave tests or checks out, by what they do. */
const OPTIONS: readonly [RegExp, string][] = [
  [/--passWithNoTests\b|--pass-with-no-tests\b|--allow-empty\b/, 'accepts that there are no tests'],
  [
    /(?:^|\s)(?:-t|--testNamePattern|--test-name-pattern|-g|--grep|--fgrep|-k|-m|-run|-R|--tests|-E|--exclude-regex|--gtest_filter\S*)(?=[\s=]|$)/,
    'selects tests',
  ],
  [
    /--(?:exclude|ignore|ignore-glob|ignore-path|ignore-pattern|deselect|testPathIgnorePatterns|coveragePathIgnorePatterns|test-skip-pattern|omit|skip|no-error-on-unmatched-pattern)\b/,
    'leaves files or tests out',
  ],
  [
    /--(?:no-verify|no-fail|exit-zero|nofail|force-exit-zero|continue-on-error|keep-going|quiet|silent-errors|dangerouslyIgnoreUnhandledErrors|retry|retries|reruns)\b/,
    'hides failures',
  ],
  [/-D(?:skipTests|maven\.test\.skip|maven\.test\.failure\.ignore)|(?:^|\s)-x\s+test\b/, 'skips tests'],
  [/--(?:skipLibCheck|noCheck|no-strict|ignore-missing-imports|allow-redefinition|no-strict-optional|rule)\b/, 'checks less'],
  [/--(?:lastFailed|lf|changed|onlyChanged|related|shard|onlyFailures|findRelatedTests|bail-silently)\b/, 'runs a part of the tests'],
]
const THRESHOLDS: readonly [RegExp, 'lower' | 'higher', string][] = [
  [
    /--(?:cov-fail-under|fail-under|lines|branches|functions|statements|test-coverage-\w+|coverage\.thresholds\.\w+)[= ](\d+(?:\.\d+)?)/,
    'lower',
    'the coverage asked for was lowered',
  ],
  [/--max-warnings[= ](\d+)/, 'higher', 'more warnings are accepted'],
]

/** True for a command that succeeds whatever the code does. */
export function doesNothing(command: string): boolean {
  return NOTHING.test(command.trim().replace(/^@?-?\s*/, ''))
}

/** How a command line checks less than it did, as the end of a sentence; null when that cannot be said. */
export function weakerCommand(before: string, after: string): string | null {
  if (before.trim() === after.trim()) return null
  if (doesNothing(after) && !doesNothing(before)) return `does nothing now ("${after.trim()}")`
  if (SWALLOWED.test(after) && !SWALLOWED.test(before)) return `ignores its own failure ("${after.trim()}")`
  if (PIPED.test(after) && !PIPED.test(before) && !after.includes('pipefail')) return 'hides its exit code behind a pipe'
  for (const [option, what] of OPTIONS) {
    const found = option.exec(after)
    if (found && count(option, after) > count(option, before)) return `${what} ("${found[0].trim()}")`
  }
  for (const [pattern, direction, what] of THRESHOLDS) {
    const [old, now] = [pattern.exec(before)?.[1], pattern.exec(after)?.[1]]
    if (old === undefined || (now === undefined && direction === 'higher' && /eslint|oxlint|biome/.test(after))) {
      if (old !== undefined) return what
      continue
    }
    if (now === undefined || (direction === 'lower' ? Number(now) < Number(old) : Number(now) > Number(old))) return what
  }
  const lost = mainPrograms(before).filter((it) => !mainPrograms(after).includes(it))
  return lost.length > 0 && mainPrograms(after).length < mainPrograms(before).length ? `no longer runs ${lost.join(', ')}` : null
}

function count(pattern: RegExp, text: string): number {
  return [...text.matchAll(new RegExp(pattern.source, `${pattern.flags.replace('g', '')}g`))].length
}

/** The programs of a chain of commands. */
function mainPrograms(line: string): string[] {
  return line
    .split(/&&|\|\||;|\n/)
    .map((part) => {
      const words = part
        .trim()
        .replace(/^(?:\w+=\S*\s+)+/, '')
        .split(/\s+/)
      const runner = /^(?:npx|pnpm|yarn|npm|bunx|exec|run|sh|bash|poetry|uv|python3?|-m|dlx|cross-env|\w+=\S*)$/
      return words.find((it) => !runner.test(it)) ?? ''
    })
    .filter((it) => it !== '' && it !== 'echo' && it !== 'cd')
}
