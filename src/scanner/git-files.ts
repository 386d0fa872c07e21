import { runProgram } from '../process/run-program.ts'
import type { Checkout } from '../workspace/port.ts'

export interface ListedFile {
  /** From the root of the checkout, with `/`; ends in `/` for a repository within the repository. */
  path: string
  tracked: boolean
}

// 200,000 paths of 100 characters.
const KEEP_BYTES = 64 * 1024 * 1024
const TIMEOUT_MS = 60_000

/** Nothing of the repository's own configuration may start a program: no fsmonitor, no hooks, no repository hidden in a bare folder. */
const SAFE = ['-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null', '-c', 'safe.bareRepository=explicit'] as const

/** Tracked and untracked files that git does not ignore; null when git cannot say (no repository, no git, somebody else's repository). */
export async function gitFiles(checkout: Checkout): Promise<ListedFile[] | null> {
  const result = await runProgram({
    argv: ['git', ...SAFE, 'ls-files', '-t', '-z', '--cached', '--others', '--exclude-standard', '--deduplicate'],
    cwd: checkout.path,
    env: gitEnv(checkout),
    timeoutMs: TIMEOUT_MS,
    keepBytes: KEEP_BYTES,
    trusted: true,
    ...(checkout.run === undefined ? {} : { run: checkout.run }),
  })
  if (result.exitCode !== 0 || result.dropped > 0) return null
  return result.stdout.split('\0').flatMap((entry) => {
    // "H path" is tracked, "? path" is not; other letters are states of the index.
    const path = entry.slice(2)
    return path === '' ? [] : [{ path, tracked: entry[0] !== '?' }]
  })
}

/** No user or system configuration, so that the same repository gives the same list everywhere. */
function gitEnv(checkout: Checkout): Record<string, string> {
  return {
    PATH: checkout.env['PATH'] ?? process.env['PATH'] ?? '/usr/bin:/bin',
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
  }
}
