import type { Limits } from '../port.ts'

/** What the kernel has counted in a control group since it was made. */
export interface GroupCount {
  /** Processes it killed because the memory limit was reached. */
  outOfMemory: number
  /** Processes it refused to start. */
  refused: number
  memoryPeakBytes: number
}

/** The control group of a run. */
export interface Group {
  /** Words in front of a program that put it, and so all it starts, into the group. */
  words: readonly string[]
  /** All zero when the group is gone. */
  count(): Promise<GroupCount>
  /** Kills what is in it. */
  sweep(): Promise<void>
  /** Kills what is left in it and removes it. */
  close(): Promise<void>
}

/** A place where this process may make control groups. */
export interface CgroupHome {
  version: 1 | 2
  /** What the kernel holds there. */
  holds: { memory: boolean; processes: boolean; cpu: boolean }
  /** Makes the group of a run. Throws `sandbox_failed` when the system refuses what it allowed at the start. */
  group(run: string | undefined, limits: Limits): Promise<Group>
}
