/** What the other rooms know of a workspace. The implementation is `workspace.ts` (life), `git.ts` (the one `git()`), `paths.ts` (path rules). */

import type { Confinement } from '../process/port.ts'
import type { WayOut } from '../sandbox/port.ts'

/** The user's repository. Everything read from it is read by the one hardened `git()`. */
export interface Project {
  /** Top level of the checkout, real path. */
  root: string
  /** The common git directory, real path. */
  gitDir: string
  /** Folder name, for people. */
  name: string
  /** Commit of HEAD. */
  head: string
  /** Branch HEAD is on, null when detached. */
  branch: string | null
  objectFormat: 'sha1' | 'sha256'
}

export interface FileChange {
  path: string
  status: 'added' | 'modified' | 'deleted'
  /** True for symlinks, submodules, binary files: no line counts. */
  opaque: boolean
  added: number
  removed: number
}

export interface Checkpoint {
  commit: string
  tree: string
  /** False when nothing had changed since the checkpoint before; then `commit` is that one. */
  changed: boolean
  files: number
}

/** Any folder with files that gates and scanner can look at: a workspace, a scratch checkout, a user's own checkout. */
export interface Checkout {
  /** Absolute root of the files. */
  path: string
  /** Folder within it that is worked on, "." for all. */
  targetDir: string
  /** Environment for programs started here (from `programEnv()`), complete. */
  env: Readonly<Record<string, string>>
  /** Run it belongs to, for process marks; undefined outside a run. */
  run?: string
  /** How programs started here are held; absent for a user's own checkout, where they run as the user's. */
  confinement?: Confinement
}

/** What a CLI agent needs besides its workspace. Paths absolute. */
export interface AgentWay extends WayOut {
  /** Name of its home within the run: whoever has the same name shares it, so that a session can go on. Letters, digits, ".", "_" and "-". */
  name: string
  /** Environment of this one process: never on a command line, never in an event. */
  secrets: Readonly<Record<string, string>>
  /** Also read: the program's own installation, the user's log-in. */
  readable?: readonly string[]
  writable?: readonly string[]
  /** The role may write nothing: the checkout is shown read-only where the system can do that. */
  readOnly?: boolean
  /** Folders and files of the checkout, from its root, that the program is not shown, where the system can do that. */
  hidden?: readonly string[]
}

export interface HeldAgent {
  /** Its home folder; `tmp` in it is its TMPDIR. */
  home: string
  /** The whole environment, with the secrets. */
  env: Readonly<Record<string, string>>
  confinement: Confinement
}

/** A workspace at work. All commits are made by reeve in a private git dir that programs in the workspace cannot reach. */
export interface Workspace extends Checkout {
  /** Environment for an agent's own commands: as `env`, with a home of its own, so that nothing they leave there is found by the gates. */
  readonly agentEnv?: Readonly<Record<string, string>>
  /** How an agent's own commands are held: as `confinement`, with the agent's home. */
  readonly agentConfinement?: Confinement
  /** How a program that is an agent itself is started in this workspace: with a home of its own, and the way out that it needs. */
  holdAgent?(way: AgentWay): HeldAgent
  readonly runId: string
  readonly project: Project
  readonly branch: string
  /** Commit the run began from. */
  readonly base: string
  /** Tree hash of the files as they are now (untracked included, ignored not). Refuses nested repositories: see `problems`. */
  treeHash(): Promise<string>
  /** What of the files could not be taken as it is (nested repositories, unreadable files), a sentence each. */
  problems?(): Promise<string[]>
  /** Commits everything as it is. The message is a conventional commit; trailers are added by the caller. */
  checkpoint(message: string): Promise<Checkpoint>
  /** Keeps everything (also untracked) as `refs/reeve/attempts/<run>/<n>` in the user's repository, then returns the ref. Never loses a byte that git would not ignore. */
  keepAttempt(): Promise<{ ref: string; commit: string; number: number }>
  /**
   * Puts the files back to a commit of this run, after `keepAttempt` when anything differs from the last checkpoint. `keep: false` only
   * when no agent has written since then: what differs was made by reeve's own gates (build products that git does not ignore).
   */
  restore(commit: string, options?: { keep?: boolean }): Promise<void>
  /** Puts these files alone back to how a commit of this run has them; what it does not have is removed. Call `keepAttempt` first. */
  putBack(commit: string, paths: readonly string[]): Promise<void>
  /** Changes from one commit (default: base) to another one, by default to the files as they are now. */
  changes(from?: string, to?: string): Promise<FileChange[]>
  /** Unified diff from one commit (default: base) to the files as they are now, at most `maxBytes`. */
  patch(from?: string, maxBytes?: number): Promise<string>
  /** Content of a file at a commit (default: base), null when it is not there. */
  fileAt(path: string, commit?: string): Promise<string | null>
  /** Paths at a commit (default: base). */
  filesAt(commit?: string): Promise<string[]>
  /**
   * A disposable checkout of a commit of this run (default: base), with dependencies as the workspace has them, and with what else the setup makes
   * made from that commit. Close it with `dispose`.
   */
  scratch(commit?: string, signal?: AbortSignal): Promise<Scratch>
  /** Makes the run's commits reachable in the user's repository: `refs/reeve/runs/<run>`; with `branch`, also moves the run's own branch there. */
  publish(options?: { branch?: boolean }): Promise<string>
}

export interface Scratch extends Checkout {
  commit: string
  /** Writes a file's content, or removes the file when null. Path rules hold. */
  put(path: string, content: Uint8Array | null): Promise<void>
  dispose(): Promise<void>
}
