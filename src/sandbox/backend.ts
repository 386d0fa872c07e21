import type { Hold, IsolationLevel } from '../core/isolation.ts'
import type { SandboxSettings } from '../core/settings.ts'
import type { RunLimits } from './limits/port.ts'
import type { Place, Profile, Sandbox } from './port.ts'

/** One way of holding programs. What it really holds is measured afterwards, by `probe/`. */
export interface Backend extends Omit<Sandbox, 'report' | 'close'> {
  /** The level it has if everything holds that it promises. */
  readonly level: IsolationLevel
  /** Its name and version, for people. */
  readonly by: string
  /** Attacks by name that its level leaves open on this system: reported as not held, and no reason to do without. */
  readonly leavesOpen?: readonly string[]
  /** How each limit is held; empty: as `limits/` holds them. */
  limitHolds(): Hold[]
}

/** A backend that cannot be had on this machine: why, and the one command that would change that, or null. */
export interface Unavailable {
  unavailable: string
  improve: { command: string; gain: string } | null
}

/** What every backend is made from. */
export interface BackendRequest {
  settings: SandboxSettings
  /** A folder of reeve's own for what programs are shown; other reeve processes use it too. */
  folder: string
  env: Readonly<Record<string, string | undefined>>
  /** The user's home: toolchains lie there. */
  realHome: string
  /** Limits of the programs of one place. */
  limitsOf(place: Place, profile: Profile): RunLimits
}
