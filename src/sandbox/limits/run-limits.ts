import { setTimeout as delay } from 'node:timers/promises'
import type { Breach } from '../../process/port.ts'
import { breachOf } from './breaches.ts'
import type { CgroupHome, Group, GroupCount } from './cgroups/port.ts'
import { watchCrowd } from './crowd.ts'
import { createGrowth, type Growth, NO_GROWTH } from './growth.ts'
import { memoryCheck, overLimits } from './over-limit.ts'
import type { Limits, RunLimits, Tree, Watch } from './port.ts'
import { type ProgramWatch, watchProgram } from './program-watch.ts'
import { type Scan, sharedScan } from './scan-thread.ts'
import { sharedTicker, type Ticker } from './ticker.ts'
import { type LimitTools, limitWords, SPARE_PROCESSES } from './words.ts'

export interface RunLimitsOptions {
  limits: Limits
  /** Names the control group. */
  run: string | undefined
  /** What they grow by counts, from the first program on. */
  folders: readonly string[]
  /** Where control groups can be made; null: none here. */
  cgroups: CgroupHome | null
  /** From `limitTools()`. */
  tools: LimitTools
  /** Default: those of this process. */
  ticker?: Ticker
  scan?: Scan
}

/**
 * The limits of one run: what its programs use together is looked at ten times a second, and held by the kernel where there is a control
 * group. Costs nothing while no program runs. See `port.ts`.
 */
export function createRunLimits(options: RunLimitsOptions): RunLimits {
  const { limits, run, folders, cgroups, tools, ticker = sharedTicker, scan = sharedScan } = options
  const programs = new Map<ProgramWatch, Growth>()
  // For each checkout of the run: what the change has filled must not end what is measured on the base.
  const growths = new Map<string, Growth>()
  const overMemory = memoryCheck(limits)
  let group: Promise<Group> | null = null
  let counted = NOTHING
  let stop: (() => void) | null = null
  let idle: NodeJS.Timeout | undefined

  const count = async (): Promise<GroupCount> => {
    const made = (await group?.catch(() => null)) ?? null
    return (await made?.count()) ?? NOTHING
  }

  // The ticker and a program that has just begun may want one at the same moment.
  let looking: Promise<void> | null = null
  function look(): Promise<void> {
    looking ??= lookNow().finally(() => {
      looking = null
    })
    return looking
  }

  async function lookNow(): Promise<void> {
    const growing = new Set(programs.values())
    const [now] = await Promise.all([count(), ...[...growing, ...programs.keys()].map((it) => it.look())])
    const kernel = since(now, counted)
    counted = now
    const all = [...programs.keys()]
    const grown = (program: ProgramWatch) => programs.get(program)?.grown() ?? NO_GROWTH
    const broken = overLimits({ limits, programs: all, grown, kernel })
    for (const { program, breach } of broken) program.break(breach)
    const memory = await overMemory(all)
    memory?.program.break(memory.breach)
  }

  function watchAll(): () => void {
    const ends = [ticker.add(look)]
    if (cgroups?.holds.processes !== true) ends.push(watchCrowd(limits.processes, look))
    return () => {
      for (const end of ends) end()
    }
  }

  function growthOf(more: readonly string[]): Growth {
    const all = [...folders, ...more]
    const key = all.join('\0')
    const growth = growths.get(key) ?? createGrowth(limits, scan)
    growths.set(key, growth)
    growth.add(all)
    return growth
  }

  /** Programs that have been told their words and are not under watch yet. */
  let entering = 0

  async function enter(more: readonly string[]): Promise<readonly string[]> {
    growthOf(more)
    if (cgroups === null) return []
    group ??= cgroups.group(run, limits).catch((error: unknown) => {
      group = null
      throw error
    })
    entering += 1
    clearTimeout(idle)
    return await group.then(
      (it) => it.words,
      (error: unknown) => {
        entering -= 1
        throw error
      },
    )
  }

  function watch(tree: Tree, broken: (breach: Breach) => void, more: readonly string[]): Watch {
    const growth = growthOf(more)
    entering = Math.max(0, entering - 1)
    const program = watchProgram(tree, limits, broken)
    const before = count()
    const { ofSize } = growth.grown()
    programs.set(program, growth)
    stop ??= watchAll()
    void beEager(program, look)
    return {
      async end(exit) {
        // Who takes the signal of a too large file as an error leaves one of exactly that size.
        await growth.settle(exit === undefined || exit.code === 0 ? Number.POSITIVE_INFINITY : limits.fileBytes)
        const kernel = kernelBreach(limits, await count(), await before)
        const grown = growth.grown()
        // Files that were there before are not this program's.
        const last = await program.end(exit ?? null, { ...grown, ofSize: grown.ofSize - ofSize }, kernel)
        programs.delete(program)
        if (programs.size === 0) await rest(last.breach !== null)
        return last
      },
    }
  }

  /** No program is left. Who is in the group all the same has run away from its own. */
  async function rest(broken: boolean): Promise<void> {
    stop?.()
    stop = null
    if (entering > 0) return
    // A fork bomb takes a while to die, and would count against the next program: that one gets a new group.
    if (broken) return await leave()
    await (await group?.catch(() => null))?.sweep()
    idle = setTimeout(() => void leave(), IDLE_MS).unref()
  }

  async function leave(): Promise<void> {
    clearTimeout(idle)
    if (programs.size > 0 || entering > 0) return
    const last = group
    group = null
    counted = NOTHING
    await (await last?.catch(() => null))?.close()
  }

  const at = (more: readonly string[]): RunLimits => ({
    limits,
    outer: () => enter(more),
    inner: (where) => limitWords(limits, tools, where),
    watch: (tree, broken) => watch(tree, broken, more),
    at: (others) => at([...more, ...others]),
    rebase() {
      for (const it of growths.values()) it.rebase()
    },
    async close() {
      stop?.()
      stop = null
      entering = 0
      programs.clear()
      growths.clear()
      await leave()
    },
  })
  return at(folders)
}

// To make and remove a group costs tens of milliseconds: not for each command. An idle run keeps none.
const IDLE_MS = 5000

/** Until a sandbox stands it is looked at in quick succession: a short program could else fill its `/tmp` and be gone unseen. */
const EAGER_MS = [3, 5, 10, 20, 40]

async function beEager(program: ProgramWatch, look: () => Promise<void>): Promise<void> {
  for (const ms of EAGER_MS) {
    await delay(ms, undefined, { ref: false })
    if (program.ended()) return
    await look()
    if (program.now() !== null) return
  }
}

/** A group that has just been made, and none. */
const NOTHING: GroupCount = { outOfMemory: 0, refused: 0, memoryPeakBytes: 0 }

function since(now: GroupCount, before: GroupCount): GroupCount {
  return { ...now, outOfMemory: now.outOfMemory - before.outOfMemory, refused: now.refused - before.refused }
}

function kernelBreach(limits: Limits, now: GroupCount, before: GroupCount): Breach | null {
  const { outOfMemory, refused, memoryPeakBytes } = since(now, before)
  if (outOfMemory > 0) return breachOf(limits, 'memory', memoryPeakBytes)
  return refused > 0 ? breachOf(limits, 'processes', limits.processes + SPARE_PROCESSES) : null
}
