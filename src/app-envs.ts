import type { Env } from './config/home.ts'
import type { Clock } from './core/clock.ts'
import { newRunId, type RunId } from './core/ids.ts'
import { isFinished } from './core/run.ts'
import type { Store } from './store/open.ts'

/** The environments that runs came with. In memory only: keys lie there. */
export interface RunEnvs {
  of(run: RunId): Env | undefined
  keep(runs: readonly RunId[], env: Env): void
  /** Forgets that of a run that has ended. Never rejects. */
  release(run: RunId): Promise<void>
}

// Runs that were stopped in the queue, or never came to be, are released by nobody: with so many kept, all are looked through.
const LOOK_AT = 1000
// A run is kept before it is in the store.
const YOUNG_MS = 60_000
// Of one question to the store.
const PART = 500

export function createRunEnvs(store: Pick<Store, 'statesOf'>, clock: Pick<Clock, 'now'>, lookAt = LOOK_AT): RunEnvs {
  const envs = new Map<RunId, Env>()
  let next = lookAt

  async function forgetEnded(runs: readonly RunId[]): Promise<void> {
    const young = newRunId(clock.now() - YOUNG_MS)
    for (let at = 0; at < runs.length; at += PART) {
      const part = runs.slice(at, at + PART)
      const states = await store.statesOf(part)
      for (const run of part) {
        const state = states.get(run)?.state
        if (state === undefined ? run < young : isFinished(state)) envs.delete(run)
      }
    }
  }

  return {
    of: (run) => envs.get(run),
    keep(runs, env) {
      for (const run of runs) envs.set(run, env)
      if (envs.size < next) return
      // Those of runs that go on stay: the next look comes when there are twice as many.
      next = Number.POSITIVE_INFINITY
      void forgetEnded([...envs.keys()])
        .catch(() => undefined)
        .finally(() => {
          next = Math.max(lookAt, 2 * envs.size)
        })
    },
    release: (run) => forgetEnded([run]).catch(() => undefined),
  }
}
