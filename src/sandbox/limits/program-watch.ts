import type { Breach, ResourceUsage } from '../../process/port.ts'
import { breachOf, growthBreach } from './breaches.ts'
import type { Grown } from './growth.ts'
import { namespaceSampler } from './namespace-sampler.ts'
import { plainSampler } from './plain-sampler.ts'
import type { Limits, Tree } from './port.ts'
import type { Sample, Sampler, Tmpfs } from './sampler.ts'

/** One program under watch: what it uses, the most it has used, and whether it has been broken off. */
export interface ProgramWatch {
  /** By `performance.now()`. */
  readonly began: number
  /** Memory is filled in by the check of the whole run, which knows when the cheap sum is not good enough. */
  readonly peak: ResourceUsage
  /** As of the last look; null: nothing to be seen. */
  now(): Sample | null
  tmpfs(): readonly Tmpfs[]
  exactMemory: Sampler['exactMemory']
  look(): Promise<void>
  break(breach: Breach): void
  ended(): boolean
  /** `kernel`: what its control group says. The breach is the one that was seen first, else what the end tells. */
  end(exit: Exit | null, grown: Grown, kernel: Breach | null): Promise<{ usage: ResourceUsage; breach: Breach | null }>
}

export interface Exit {
  code: number | null
  signal: string | null
}

const MB = 1024 * 1024
/** A tmpfs with less room than this share counts as full: what did not fit may have been larger than what is left. */
const FULL = 0.98

/** Puts a program under watch; whoever holds the run calls `look`. `broken` is called at most once. */
export function watchProgram(tree: Tree, limits: Limits, broken: (breach: Breach) => void): ProgramWatch {
  const sampler = tree.kind === 'namespace' ? namespaceSampler(tree.pid) : plainSampler(tree.pid)
  const peak: ResourceUsage = { memoryBytes: 0, processes: 0, cpuSeconds: 0 }
  const cpu = cpuCounter()
  let sample: Sample | null = null
  let tmpfs: readonly Tmpfs[] = []
  let seen: Breach | null = null
  let full: Breach | null = null
  let ended = false

  async function look(): Promise<void> {
    const [now, filled] = await Promise.all([sampler.look(limits.processes), sampler.tmpfs()])
    if (ended) return
    sample = now
    tmpfs = filled
    full ??= fullOf(limits, filled)
    if (now === null) return
    peak.processes = Math.max(peak.processes, now.processes)
    peak.cpuSeconds = cpu(now.cpuSeconds)
  }

  return {
    began: performance.now(),
    peak,
    now: () => sample,
    tmpfs: () => tmpfs,
    exactMemory: () => sampler.exactMemory(),
    look,
    ended: () => ended,
    break(breach) {
      if (seen !== null || ended) return
      seen = breach
      broken(breach)
    },
    async end(exit, grown, kernel) {
      ended = true
      full ??= fullOf(limits, await sampler.tmpfs())
      await sampler.close()
      const certain = seen ?? bySignal(limits, exit, peak) ?? kernel ?? growthBreach(limits, grown)
      // What was found full, or of exactly the size that is allowed, is the reason only for a program that failed by itself.
      const failed = exit === null || (exit.signal === null && exit.code !== 0)
      const breach = certain ?? (failed ? (full ?? bySize(limits, grown)) : null)
      if (breach?.limit === 'memory') peak.memoryBytes = Math.max(peak.memoryBytes, breach.peak * MB)
      if (breach?.limit === 'processes') peak.processes = Math.max(peak.processes, breach.peak)
      return { usage: peak, breach }
    },
  }
}

/** What private file systems in memory hold together. */
export function filledBytes(all: readonly Tmpfs[]): number {
  return all.reduce((sum, it) => sum + it.used, 0)
}

/** Time of a process counts for its parent once it has been waited for; where nobody waits it would vanish from the sum. */
export function cpuCounter(): (sum: number) => number {
  let before = 0
  let vanished = 0
  return (sum) => {
    vanished += Math.max(0, before - sum)
    before = sum
    return sum + vanished
  }
}

function fullOf(limits: Limits, all: readonly Tmpfs[]): Breach | null {
  const full = all.find((it) => it.used >= it.size * FULL)
  return full === undefined ? null : breachOf(limits, full.limit, full.used)
}

/** A shell and a sandbox end with 128 and the number of the signal that ended the program. */
function bySignal(limits: Limits, exit: Exit | null, peak: ResourceUsage): Breach | null {
  if (exit?.signal === 'SIGXFSZ' || exit?.code === 128 + 25) return breachOf(limits, 'file size', limits.fileBytes)
  if (exit?.signal === 'SIGXCPU' || exit?.code === 128 + 24) return breachOf(limits, 'processor time', peak.cpuSeconds)
  return null
}

/** A program that takes the signal of a too large file as an error leaves one of exactly that size. */
function bySize(limits: Limits, { ofSize }: Grown): Breach | null {
  return ofSize > 0 ? breachOf(limits, 'file size', limits.fileBytes) : null
}
