/** How programs of a run are held, from nothing to a container. The order is the order of strength. */
export const ISOLATION_LEVELS = ['none', 'guarded', 'os-sandbox', 'container'] as const
export type IsolationLevel = (typeof ISOLATION_LEVELS)[number]

/** A level as people see it: `L2 os-sandbox`. */
export function levelName(level: IsolationLevel): string {
  return `L${ISOLATION_LEVELS.indexOf(level)} ${level}`
}

/** The level of a word or of a name such as `L2 os-sandbox`; null where it is none. */
export function parseLevel(text: string): IsolationLevel | null {
  return ISOLATION_LEVELS.find((it) => it === text || levelName(it) === text) ?? null
}

/** The weaker one of two levels. */
export function weaker(a: IsolationLevel, b: IsolationLevel): IsolationLevel {
  return atLeast(a, b) ? b : a
}

/** Is a level as strong as another one, or stronger? */
export function atLeast(level: IsolationLevel, minimum: IsolationLevel): boolean {
  return ISOLATION_LEVELS.indexOf(level) >= ISOLATION_LEVELS.indexOf(minimum)
}

/** Who sees to it that something holds: the kernel; reeve, which looks now and then and kills; the kernel, but for each process alone; nobody. */
export const GRIPS = ['kernel', 'watched', 'per-process', 'none'] as const
export type Grip = (typeof GRIPS)[number]

/** One thing a sandbox is asked to hold, with how it is held on this machine. */
export interface Hold {
  /** Such as `writing outside the workspace`, `memory`. */
  name: string
  about: 'attack' | 'limit'
  grip: Grip
  /** What was tried, or why it does not hold. */
  reason: string
}

/** What the sandbox of this machine really holds: measured, not guessed from a program's presence. */
export interface IsolationReport {
  level: IsolationLevel
  /** What holds the programs: `bubblewrap 0.8.0`, `podman 4.3.1`, `plain processes`. */
  by: string
  holds: Hold[]
  /** Why it is not a stronger level; '' when it is the strongest this machine was asked for. */
  reason: string
  /** The one command that makes it better, or null. */
  improve: { command: string; gain: string } | null
}
