import { createRunEnvs } from './app-envs.ts'
import type { Kits } from './app-kit.ts'
import type { Env, Folders } from './config/home.ts'
import { secretValues } from './config/secrets.ts'
import { systemClock } from './core/clock.ts'
import { ReeveError } from './core/errors.ts'
import type { RunId } from './core/ids.ts'
import type { Engine } from './engine/engine.ts'
import type { RunContext, Workflow } from './engine/port.ts'
import type { Host, Secrets } from './operations/context.ts'
import { checkRun } from './operations/isolation.ts'
import { keepLog } from './operations/run-log.ts'
import { logPath } from './operations/views.ts'
import type { Kit } from './steps/kit.ts'
import { optionsOf, type RunRow } from './steps/options.ts'
import type { Store } from './store/open.ts'
import type { QueueLimits } from './store/queue-limits.ts'

export interface HostOptions {
  kits: Kits
  store: () => Promise<Store>
  secrets: Secrets
  folders: Folders
  /** Workflows of the caller's own, besides the built-in ones. */
  workflows: Readonly<Record<string, Workflow>>
  /** Called once before this process starts programs of a run; the bin closes what it inherited open. */
  beforeWork?: (() => Promise<void>) | undefined
}

/** An engine of this process's own for the runs it is asked to work on; it ends with the call. */
export function foregroundHost(options: HostOptions, env: Env): Host {
  return {
    resident: false,
    // It works with the caller's environment anyway.
    adopt: () => undefined,
    lend: () => undefined,
    async work(runs, { concurrency, limits, signal, onActivate }) {
      const kitOf = () => options.kits.of(env)
      const engine = await makeEngine(options, { kitOf, concurrency, limits, onActivate: (row) => onActivate(row.id) })
      try {
        await engine.start({ only: new Set(runs) })
        await Promise.all(runs.map((it) => engine.waitFor(it, signal)))
      } catch (error) {
        if (!signal.aborted) throw error
      } finally {
        await engine.stop()
      }
    },
  }
}

/** The engine of a daemon: it works on all runs of the data folder, whoever has asked for them and whoever looks on. */
export interface Resident {
  engine: Engine
  /** The host as one caller sees it; null: it brings no environment of its own. */
  hostFor(env: Env | null): Host
  /** Why a run cannot be worked on here now; null: it can. */
  hindrance(row: RunRow): Promise<string | null>
}

export interface ResidentOptions {
  /** How many runs at the same time, of which roles and providers. */
  limits: QueueLimits
  /** Environment of runs that nobody has asked for since the daemon began. */
  env: Env
}

export async function createResident(options: HostOptions, { limits, env }: ResidentOptions): Promise<Resident> {
  const store = await options.store()
  const envs = createRunEnvs(store, systemClock)
  const envOf = (run: RunId) => envs.of(run) ?? env
  const kitOf = (run: RunId) => options.kits.of(envOf(run))
  const logs = new Map<RunId, AbortController>()

  function endLog(run: RunId): void {
    logs.get(run)?.abort()
    logs.delete(run)
  }

  const hindrance = (row: RunRow) => hindranceOf(row, envOf(row.id), kitOf(row.id))

  const engine = await makeEngine(options, {
    kitOf,
    concurrency: limits.max,
    limits,
    hindrance,
    onActivate: async (row) => {
      options.secrets.learn(secretValues(optionsOf(row).settings, envOf(row.id)))
      await options.secrets.learnFiles()
      endLog(row.id)
      const over = new AbortController()
      logs.set(row.id, over)
      // A log that cannot be written is no reason to stop a run: the store has it all.
      void keepLog(store, row.id, logPath(options, row.id), over.signal).catch(() => undefined)
    },
    onRelease: (row) => {
      endLog(row.id)
      void envs.release(row.id)
    },
  })

  function adopt(caller: Env | null, runs: readonly RunId[]): void {
    // A program that only decides must not take away the environment that a run came with.
    if (caller !== null) envs.keep(runs, caller)
    // What could not be begun for want of this caller's keys may be now. Failing that, it is looked at again by itself.
    store.queue.releaseHolds(runs).then(
      () => engine.poke(),
      () => undefined,
    )
  }

  return {
    engine,
    hostFor: (caller) => ({
      resident: true,
      adopt: (runs) => adopt(caller, runs),
      lend(runs) {
        const without = caller === null ? [] : runs.filter((it) => envs.of(it) === undefined)
        if (without.length > 0) adopt(caller, without)
      },
      async work(runs, { signal }) {
        try {
          await Promise.all(runs.map((it) => engine.waitFor(it, signal)))
        } catch (error) {
          if (!signal.aborted) throw error
        }
      },
    }),
    hindrance,
  }
}

/** A run is not begun where it would only fail: without the keys it was submitted with, or below its level of isolation. */
async function hindranceOf(row: RunRow, env: Env, kit: Kit): Promise<string | null> {
  const missing = (optionsOf(row).variables ?? []).filter((it) => (env[it] ?? '') === '')
  if (missing.length > 0) {
    return `it needs ${missing.join(', ')}, which the daemon does not have; where it is set: reeve resume ${row.id}`
  }
  try {
    await checkRun({ kit }, row)
    return null
  } catch (error) {
    if (error instanceof ReeveError && error.code === 'isolation_too_low') return error.message
    throw error
  }
}

interface EngineWishes {
  kitOf: (run: RunId) => Kit
  concurrency: number
  limits: QueueLimits
  hindrance?: (row: RunRow) => Promise<string | null>
  onActivate: (row: RunRow) => Promise<void> | void
  onRelease?: (row: RunRow) => void
}

async function makeEngine(options: HostOptions, wishes: EngineWishes): Promise<Engine> {
  const { kitOf, onActivate, ...others } = wishes
  await options.beforeWork?.()
  const [{ createEngine }, { createBuild }, { createDirect }, { sweepRun }] = await Promise.all([
    import('./engine/engine.ts'),
    import('./workflows/build.ts'),
    import('./workflows/direct.ts'),
    import('./process/sweep.ts'),
  ])
  return createEngine({
    store: await options.store(),
    workflows: {
      ...options.workflows,
      build: (run: RunContext) => createBuild(kitOf(run.id))(run),
      direct: (run: RunContext) => createDirect(kitOf(run.id))(run),
    },
    ...others,
    onActivate: async (row) => {
      await onActivate(row)
      // What a dead process left running would write into the workspace behind our back.
      await sweepRun(row.id)
    },
  })
}
