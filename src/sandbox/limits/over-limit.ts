import type { Breach } from '../../process/port.ts'
import { breachOf, growthBreach } from './breaches.ts'
import type { GroupCount } from './cgroups/port.ts'
import type { Grown } from './growth.ts'
import type { Limits } from './port.ts'
import { filledBytes, type ProgramWatch } from './program-watch.ts'
import { SPARE_PROCESSES } from './words.ts'

export interface Broken {
  program: ProgramWatch
  breach: Breach
}

/** Of a run: how often the kernel stepped in, and what the folders of each program have grown by. */
export interface RunState {
  limits: Limits
  programs: readonly ProgramWatch[]
  grown: (program: ProgramWatch) => Grown & { at: number }
  /** Since the last look. */
  kernel: GroupCount
}

/**
 * The programs of a run that must be ended now, by what the last look showed. What they use together counts; the one that uses most of it is
 * ended. Several breaches of one program may be told, the first is the one.
 */
export function overLimits({ limits, programs, grown, kernel }: RunState): Broken[] {
  const broken: Broken[] = []
  const largest = (of: (it: ProgramWatch) => number) => programs.toSorted((a, b) => of(b) - of(a))[0]
  const endLargest = (breach: Breach, of: (it: ProgramWatch) => number) => {
    const program = largest(of)
    if (program) broken.push({ program, breach })
  }

  if (kernel.outOfMemory > 0) {
    endLargest(breachOf(limits, 'memory', kernel.memoryPeakBytes), (it) => it.peak.memoryBytes)
  }
  const processes = (it: ProgramWatch) => it.now()?.processes ?? 0
  const running = sum(programs.map(processes))
  const refused = kernel.refused > 0
  if (running > limits.processes || refused) {
    const peak = refused ? Math.max(running, limits.processes + SPARE_PROCESSES) : running
    endLargest(breachOf(limits, 'processes', peak), processes)
  }
  for (const program of programs) {
    const { cpuSeconds } = program.peak
    if (cpuSeconds > limits.cpuSeconds) broken.push({ program, breach: breachOf(limits, 'processor time', cpuSeconds) })
    const entries = sum(program.tmpfs().map((it) => it.entries))
    if (entries > limits.files) broken.push({ program, breach: breachOf(limits, 'files', entries) })
  }
  for (const program of programs) {
    const growth = growthBreach(limits, grown(program))
    // A scan from before a program says nothing about it: the folders may have been put back since then.
    if (growth !== null && grown(program).at > program.began) broken.push({ program, breach: growth })
  }
  return broken
}

// Processes that share pages before they write to them come to use more memory without the cheap sum showing it.
const EXACT_EVERY_MS = 500

/**
 * Tells which program breaks the memory limit. The cheap sum counts shared pages once per process, so when it is above the limit the exact one
 * is taken, which costs milliseconds per gigabyte; not again until so much has come that the limit may be broken.
 */
export function memoryCheck(limits: Limits): (programs: readonly ProgramWatch[]) => Promise<Broken | null> {
  let last = { at: 0, cheap: 0, exact: 0 }
  return async (programs) => {
    const sums = programs.map((it) => (it.now()?.rssBytes ?? 0) + filledBytes(it.tmpfs()))
    const cheap = sum(sums)
    if (cheap <= limits.memoryBytes) {
      for (const [at, program] of programs.entries()) usedMemory(program, sums[at] ?? 0)
      return null
    }
    const known = performance.now() - last.at < EXACT_EVERY_MS && last.exact + (cheap - last.cheap) <= limits.memoryBytes
    if (known) return null
    const exacts = await Promise.all(programs.map((it, at) => exactOf(it, sums[at] ?? 0)))
    for (const [at, program] of programs.entries()) usedMemory(program, exacts[at] ?? 0)
    const exact = sum(exacts)
    last = { at: performance.now(), cheap, exact }
    if (exact <= limits.memoryBytes) return null
    const program = programs[sums.indexOf(Math.max(...sums))]
    return program === undefined ? null : { program, breach: breachOf(limits, 'memory', exact) }
  }
}

function usedMemory({ peak }: ProgramWatch, bytes: number): void {
  peak.memoryBytes = Math.max(peak.memoryBytes, bytes)
}

/** Files in a tmpfs are memory; those that are mapped count with the process that maps them. */
async function exactOf(program: ProgramWatch, cheap: number): Promise<number> {
  const found = await program.exactMemory()
  if (found === null) return cheap
  return found.all + Math.max(0, filledBytes(program.tmpfs()) - found.shared)
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, it) => all + it, 0)
}
