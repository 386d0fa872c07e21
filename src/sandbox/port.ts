import type { IsolationReport } from '../core/isolation.ts'
import type { Confinement } from '../process/port.ts'
import type { Decision } from './network/decision.ts'

/** What programs of one checkout may see and write. All paths absolute and real. */
export interface Place {
  /** The checkout itself: written. */
  tree: string
  /** The checkout is shown read-only where the system can do that; elsewhere whoever asked for it looks afterwards. */
  readOnly?: boolean
  /** Folders and files within the tree that are shown empty, and stay so, where the system can do that. */
  hidden?: readonly string[]
  /** Home folder of the programs: written. Its `tmp` is their TMPDIR. */
  home: string
  /** Also written. */
  writable?: readonly string[]
  /** Also read: git objects, private git directories. What the system and the toolchains need is added by the sandbox. */
  readable?: readonly string[]
  /** A git directory that the tree's `.git` file is shown to lead to, read-only: the user's own is not shown. */
  git?: string
  /** Packages the project has downloaded: written by the `install` profile, read by the others. Absent: the user's own downloads are shown. */
  packages?: string
  /** Run the programs belong to: its limits hold for all of them together. */
  run?: string
}

/**
 * What a program is for.
 * `run`: tests, builds, an agent's commands: no network. `install`: setup commands: the package registries, by the allow-listing proxy.
 * `agent`: a CLI agent: the hosts of its own provider, and its own secrets.
 */
export type Profile =
  | { kind: 'run' }
  | ({ kind: 'install' } & WayOut)
  | ({ kind: 'agent'; secrets: Readonly<Record<string, string>> } & WayOut)

/** What may be reached through the proxy, and who wants to know what was. */
export interface WayOut {
  hosts: readonly AllowedHost[]
  /** Servers of reeve's own that the program reaches at this port of its loopback: there it is forwarded to the socket. */
  services?: readonly Service[]
  /** Called for each connection when it has ended, or was refused. Must not throw. */
  decided?: (decision: Decision) => void
}

export interface Service {
  port: number
  socketPath: string
}

/** A host that may be reached through the proxy. */
export interface AllowedHost {
  host: string
  port: number
  /** Named by the user's own configuration, not by a file of the project: it may have a private address. */
  own: boolean
}

/** How programs are held on this machine, with these settings. Made once per process by `create.ts`. */
export interface Sandbox {
  readonly report: IsolationReport
  /** The whole environment of programs in a place. Makes its home folder where it is missing. */
  env(place: Place, profile: Profile): Record<string, string>
  /** Must be called for each place and profile; cheap. */
  confine(place: Place, profile: Profile): Confinement
  /** Ends what it keeps open (control groups). Programs must have ended. */
  close(): Promise<void>
}
