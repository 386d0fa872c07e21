import type { Hold } from '../../core/isolation.ts'
import type { LimitSettings } from '../../core/settings.ts'
import { findCgroups } from './cgroups/find.ts'
import { limitHolds } from './holds.ts'
import { limitsFrom } from './limits.ts'
import type { RunLimits } from './port.ts'
import { createRunLimits } from './run-limits.ts'
import { limitTools } from './words.ts'

/** The limits of all runs of this process. */
export interface LimitsOfRuns {
  /** Those of a run's programs, or of its setup commands, at these folders. All of a run share them; without a run each call has its own. */
  of(place: { run?: string | undefined; folders: readonly string[] }, kind: 'run' | 'install'): RunLimits
  holds(options: { namespace: boolean }): Hold[]
  /** Programs must have ended. */
  close(): Promise<void>
}

// Several times what can be at work at once: what is dropped has ended long ago, and its control group with it.
const MOST_RUNS = 2000

/** Asks the machine once what it can hold. `cgroups`: how control groups are found, null to do without. */
export async function createLimits(settings: LimitSettings, cgroups: typeof findCgroups | null = findCgroups): Promise<LimitsOfRuns> {
  const home = (await cgroups?.()) ?? null
  const tools = limitTools()
  const made = new Map<string, RunLimits>()
  let alone = 0

  const limitsOf = (name: string, kind: 'run' | 'install', run: string | undefined): RunLimits => {
    const key = `${kind} ${name}`
    const found = made.get(key) ?? createRunLimits({ limits: limitsFrom(settings, kind), run, folders: [], cgroups: home, tools })
    // Whoever was asked for last is kept longest.
    made.delete(key)
    made.set(key, found)
    if (made.size > MOST_RUNS) made.delete(made.keys().next().value ?? '')
    return found
  }

  return {
    of({ run, folders }, kind) {
      alone += run === undefined ? 1 : 0
      const name = run ?? `#${alone}`
      const limits = limitsOf(name, kind, run).at(folders)
      // What setup commands bring is theirs; it must not use up what the run may add.
      return kind === 'run' ? limits : afterwards(limits, () => made.get(`run ${name}`)?.rebase())
    },
    holds({ namespace }) {
      const limits = limitsFrom(settings, 'run')
      return limitHolds({ namespace, root: process.getuid?.() === 0, cgroups: home, tools, limits, platform: process.platform })
    },
    async close() {
      await Promise.all([...made.values()].map((it) => it.close()))
      made.clear()
    },
  }
}

/** Limits that have something done after each program. */
function afterwards(limits: RunLimits, act: () => void): RunLimits {
  return {
    ...limits,
    watch(tree, broken) {
      const watch = limits.watch(tree, broken)
      return { end: (exit) => watch.end(exit).finally(act) }
    },
  }
}
