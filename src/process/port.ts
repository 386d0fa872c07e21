import type { ChildProcess } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import type { IsolationLevel } from '../core/isolation.ts'

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
  /** A conversation instead of `input`. */
  talk?: Talk
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
  /** How it is held; absent: as a plain process with this process's rights. */
  confinement?: Confinement
}

/**
 * Speaks with a program while it runs, over its input and its raw output. When it has settled, however, the input is closed and a program that
 * does not end by itself is ended: that is `exited`, with no exit code. It must settle soon after the output has ended.
 */
export type Talk = (streams: { input: Writable; output: Readable }) => Promise<void>

/** `limit`: it broke a limit, see `breach`. `not_started`: also when the sandbox itself failed, which says nothing about the program. */
export type ProgramEnd = 'exited' | 'signalled' | 'timeout' | 'aborted' | 'flooded' | 'limit' | 'not_found' | 'not_started'

/** A limit that was broken. */
export interface Breach {
  limit: 'memory' | 'processes' | 'disk' | 'files' | 'file size' | 'temporary files' | 'shared memory' | 'processor time' | 'output'
  /** What is allowed and the most that was seen, in `unit`. */
  allowed: number
  peak: number
  unit: 'MB' | 's' | 'processes' | 'files'
  /** The setting that raises it, such as `sandbox.limits.memory_mb`. */
  setting: string
}

/** What a program and all it started used at most, as far as it could be seen. */
export interface ResourceUsage {
  memoryBytes: number
  processes: number
  cpuSeconds: number
}

/** Holds programs: decides what is really started. Made by `sandbox/`. */
export interface Confinement {
  readonly level: IsolationLevel
  /** Output of one program that is allowed; a program's own `floodBytes` may only be less. */
  readonly outputBytes?: number
  /** Called once per program. Throws `sandbox_failed` when what it needs cannot be made. */
  launch(program: { argv: readonly [string, ...string[]]; cwd: string; env: Readonly<Record<string, string>> }): Promise<Launch>
}

/** A program that runs, as whoever holds it sees it: its number, and its descriptors from 3 on. */
export type StartedProgram = Pick<ChildProcess, 'pid' | 'stdio' | 'exitCode' | 'signalCode'>

/** One program under way. */
export interface Launch {
  argv: readonly [string, ...string[]]
  cwd: string
  env: Readonly<Record<string, string>>
  /** Given to the process as its descriptors 3, 4, …; numbers are open ones, which `end` closes. */
  descriptors: readonly ('pipe' | number)[]
  /** True when all it started dies with the process (a PID namespace): nobody need look for what is left. */
  diesWhole: boolean
  /** It runs. `broken` may be called once, later: then the program is killed. */
  started(child: StartedProgram, broken: (breach: Breach) => void): void
  /** It has ended, or could not be started. `failure`: the sandbox itself did not come up, a sentence. */
  end(): Promise<{ usage: ResourceUsage | null; breach: Breach | null; failure: string | null }>
}

export interface ProgramResult {
  ended: ProgramEnd
  /** null unless `exited`, and after a conversation when the program had to be ended. */
  exitCode: number | null
  signal: string | null
  stdout: string
  stderr: string
  /** Bytes dropped from the middle of stdout and stderr. */
  dropped: number
  durationMs: number
  /** One sentence of what went wrong, '' when exit code 0. Names the program, and the limit with its value and the peak. */
  problem: string
  /** With `ended: 'limit'` and `'flooded'`. */
  breach: Breach | null
  /** null where nobody measured. */
  usage: ResourceUsage | null
}
