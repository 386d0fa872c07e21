/**
 * What a program gets and what comes back. `process/` is the only room that spawns.
 * Failure of a program is a value (`ProgramResult`), never a throw; `runProgram` throws only for a wrong call.
 */
export interface ProgramSpec {
  /** Program and arguments; never a shell line. A user's own command line is `['/bin/sh', '-c', line]`. */
  argv: readonly [string, ...string[]]
  /** Absolute. */
  cwd: string
  /** The whole environment: nothing is inherited. Build it with `programEnv()`. */
  env: Readonly<Record<string, string>>
  input?: string | Uint8Array
  /** Wall time; then the whole tree is killed and `ended` is `timeout`. */
  timeoutMs: number
  /** Bytes kept of each of stdout and stderr, half head and half tail; the rest is dropped and counted. Default 1 MiB. */
  keepBytes?: number
  /** Bytes of output after which the program is killed (`ended: 'flooded'`). Default 256 MiB. */
  floodBytes?: number
  signal?: AbortSignal
  /** Raw output as it comes, for live views. Must not throw. */
  onOutput?: (chunk: { stream: 'stdout' | 'stderr'; text: string }) => void
  /** Run the process belongs to: marks the whole tree (environment `REEVE_RUN`), so that a restart can sweep what was left behind. */
  run?: string
  /** One of reeve's own (git): after a normal exit nobody looks for what it may have left running. */
  trusted?: boolean
}

export type ProgramEnd = 'exited' | 'signalled' | 'timeout' | 'aborted' | 'flooded' | 'not_found' | 'not_started'

export interface ProgramResult {
  ended: ProgramEnd
  /** null unless `exited`. */
  exitCode: number | null
  signal: string | null
  stdout: string
  stderr: string
  /** Bytes dropped from the middle of stdout and stderr. */
  dropped: number
  durationMs: number
  /** One sentence of what went wrong, '' when exit code 0. Names the program. */
  problem: string
}
