import type { Breach, ResourceUsage } from '../../process/port.ts'

/** What the programs of a run may use together. From `[sandbox.limits]`. */
export interface Limits {
  memoryBytes: number
  processes: number
  openFiles: number
  /** Of one file. */
  fileBytes: number
  /** What the folders may grow by. */
  diskBytes: number
  /** Files and folders that may be added. */
  files: number
  /** Size of the private `/tmp` of a program, in memory. */
  tmpBytes: number
  sharedMemoryBytes: number
  /** 100 is one processor; null: no share is set. */
  cpuPercent: number | null
  /** Processor seconds of one program with all it starts. */
  cpuSeconds: number
  outputBytes: number
  /** The limits of setup commands, whose files have a setting of their own. */
  installs?: boolean
}

/** The processes of one program as the host sees them. */
export type Tree =
  /** A PID namespace: `pid` is its first process, on the host. `/proc/<pid>/root/proc` lists all of them. */
  | { kind: 'namespace'; pid: number }
  /** A plain process with what it starts, found by parent. */
  | { kind: 'plain'; pid: number }

/** Watches one program. */
export interface Watch {
  /**
   * What it used, and the limit it broke, if any. Call it once, when the program has ended; `exit` is how (`child.exitCode`, `child.signalCode`):
   * without it a limit that the kernel holds by a signal is not named.
   */
  end(exit?: { code: number | null; signal: string | null }): Promise<{ usage: ResourceUsage; breach: Breach | null }>
}

/** The limits of one run, shared by all its programs. Made by `createRunLimits`. */
export interface RunLimits {
  readonly limits: Limits
  /**
   * Words in front of what is started on the host: they put the process into the run's control group. Empty where there is none. Call it once
   * for each program, shortly before `watch`.
   */
  outer(): Promise<readonly string[]>
  /** Words in front of the program itself (inside a sandbox where there is one): limits per process, niceness. */
  inner(options: { namespace: boolean }): readonly string[]
  /**
   * `broken` is called at most once, as soon as a limit is seen broken; the caller then kills the program.
   */
  watch(tree: Tree, broken: (breach: Breach) => void): Watch
  /** The same limits for programs that also write to these folders, such as a checkout made meanwhile. What is in them at their first program does not count. */
  at(folders: readonly string[]): RunLimits
  /** What the folders hold now counts no more: for what reeve itself or a setup command has put there. */
  rebase(): void
  close(): Promise<void>
}
