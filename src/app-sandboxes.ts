import type { Env } from './config/home.ts'
import type { Clock } from './core/clock.ts'
import { canonicalJson } from './core/json.ts'
import type { SandboxSettings } from './core/settings.ts'
import { programsPart } from './process/env.ts'
import type { Sandbox } from './sandbox/port.ts'

/** How programs are held, by settings and environment. Measuring takes a tenth of a second: once is enough where nothing can be made better. */
export interface Sandboxes {
  of(settings: SandboxSettings, env: Env): Promise<Sandbox>
  close(): Promise<void>
}

interface Measured {
  /** Epoch ms. */
  at: number
  sandbox: Promise<Sandbox>
  /** The report says how to have a stronger one. */
  canImprove: boolean
}

// Whoever has just done what the report says, such as installing bubblewrap, wants to be held so now, and not after the next start.
const AGAIN_MS = 5000

export function createSandboxes(make: (settings: SandboxSettings, env: Env) => Promise<Sandbox>, clock: Pick<Clock, 'now'>): Sandboxes {
  const measured = new Map<string, Measured>()
  // Runs at work may still be held by them.
  const replaced: Sandbox[] = []

  function keep(key: string, sandbox: Promise<Sandbox>): Promise<Sandbox> {
    const made: Measured = { at: clock.now(), sandbox, canImprove: false }
    measured.set(key, made)
    const note = async () => {
      made.canImprove = (await sandbox).report.improve !== null
    }
    // What went wrong once may go right the next time; whoever waits for it is told.
    note().catch(() => measured.delete(key))
    return sandbox
  }

  /** The one of now where it is another level, else the one that is known. */
  async function again(known: Sandbox, making: Promise<Sandbox>): Promise<Sandbox> {
    const fresh = await making.catch(() => null)
    if (fresh === null) return known
    const same = fresh.report.level === known.report.level
    if (same) await fresh.close()
    else replaced.push(known)
    return same ? known : fresh
  }

  return {
    of(settings, env) {
      // A terminal with another proxy, or other tools, has not theirs.
      const key = canonicalJson([settings, programsPart(env)])
      const known = measured.get(key)
      if (known === undefined) return keep(key, make(settings, env))
      if (!known.canImprove || clock.now() - known.at < AGAIN_MS) return known.sandbox
      return keep(
        key,
        known.sandbox.then((it) => again(it, make(settings, env))),
      )
    },
    async close() {
      for (const it of measured.values()) await it.sandbox.then((sandbox) => sandbox.close()).catch(() => undefined) // it was never in force
      for (const it of replaced) await it.close().catch(() => undefined)
    },
  }
}
