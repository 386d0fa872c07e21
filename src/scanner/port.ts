/** What the scanner says about a repository, without a model. */

/** How the result of a command is read. `dir` and `file` are under the report folder that the runner passes in `{report}`. */
export type ReportFormat = 'junit' | 'tap' | 'lcov' | 'cobertura' | 'sarif' | 'json' | 'text' | 'exit-code'

/**
 * A command that a project has, and why we think so. `argv` may hold `{report}` (a private, empty, absolute folder for machine-readable
 * reports) and `{tests}` (a list item replaced by the selected test files, or dropped).
 */
export interface DetectedCommand {
  gate: string
  /** Such as `vitest`, `pytest`, `ctest`, `tsc`, `npm-script`, `configured`. Chooses the reader in `gates/`. */
  tool: string
  argv: readonly [string, ...string[]]
  /** As a person would type it. */
  command: string
  /** From the checkout's root, "." for the root. */
  cwd: string
  /** One sentence: which file says so. */
  reason: string
  /** Executable that must exist, and the sentence that says how to get it. */
  needs: { program: string; hint: string } | null
  env?: Readonly<Record<string, string>>
  report: { format: ReportFormat /** File or glob under the checkout or `{report}`; null: stdout. */; path: string | null } | null
  /** Run before `argv`, in order. The first that fails ends it, unless it may fail: then its exit code counts when all later ones succeed. */
  prepare?: readonly { argv: readonly [string, ...string[]]; mayFail?: boolean }[]
  /** A folder for what the build writes, from `cwd`. It ignores itself (a `.gitignore` of `*`), so the tree stays clean. `fresh`: emptied first. */
  buildFolder?: { path: string; fresh: boolean }
  /** Items of `argv` that are the project's own choice of tests; left out when tests are selected. */
  testPaths?: readonly string[]
  /** Items of `argv` that a shell would have expanded; replaced by the files that match, from `cwd`. */
  globs?: readonly string[]
}

/** Something the scanner left out, and why. A folder ends in `/` and stands for all in it. */
export interface Skipped {
  path: string
  reason: string
}

export interface RepoScan {
  languages: { name: string; files: number; lines: number; percent: number }[]
  frameworks: { name: string; reason: string }[]
  packageManagers: { name: string; manifest: string; lockfile: string | null; reason: string }[]
  tests: { frameworks: { name: string; reason: string }[]; files: string[]; layout: string }
  commands: DetectedCommand[]
  files: number
  skipped: Skipped[]
  durationMs: number
}

export interface RepoSymbol {
  name: string
  kind: 'class' | 'function' | 'method' | 'interface' | 'type' | 'enum' | 'constant' | 'module' | 'struct' | 'trait' | 'macro'
  file: string
  line: number
  endLine: number
  /** The definition without its body, on one line, at most 200 characters. */
  signature: string
}
