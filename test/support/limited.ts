import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { settingsSchema } from '../../src/core/settings.ts'
import type { Confinement, ProgramResult } from '../../src/process/port.ts'
import { runProgram } from '../../src/process/run-program.ts'
import { createBubblewrap } from '../../src/sandbox/bubblewrap/backend.ts'
import { createGuarded } from '../../src/sandbox/guarded.ts'
import { findCgroups } from '../../src/sandbox/limits/cgroups/find.ts'
import { createLimits } from '../../src/sandbox/limits/of-runs.ts'

export interface Limited {
  /** The folder that programs write to. */
  tree: string
  shell: (line: string, options?: { timeoutMs?: number; signal?: AbortSignal; keepBytes?: number }) => Promise<ProgramResult>
  python: (code: string) => Promise<ProgramResult>
  /** For programs in another checkout of the same run. */
  beside: Limited['shell']
  /** For programs of another run. */
  other: { tree: string; shell: Limited['shell'] }
}

export interface LimitedOptions {
  /** Of `[sandbox.limits]`. */
  limits?: Record<string, number>
  /** Default: bubblewrap. */
  plain?: boolean
  /** Without control groups: as an ordinary user has it on most machines. Default: with them where they may be made. */
  cgroups?: boolean
}

/** A sandbox with these limits and a run in it, below /var/tmp (a sandbox has a /tmp of its own). All goes with the test. */
export async function limited({ limits = {}, plain = false, cgroups = true }: LimitedOptions = {}): Promise<Limited> {
  const folder = realpathSync(mkdtempSync('/var/tmp/reeve-limits-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  const settings = settingsSchema.parse({ sandbox: { limits } }).sandbox
  const all = await createLimits(settings.limits, cgroups ? findCgroups : null)
  onTestFinished(() => all.close())
  const request = {
    settings,
    folder: join(folder, 'sandbox'),
    env: process.env,
    realHome: join(folder, 'user'),
    limitsOf: (place: { run?: string; tree: string; home: string }) => all.of({ run: place.run, folders: [place.tree, place.home] }, 'run'),
  }
  const backend = plain ? createGuarded(request, () => []) : await createBubblewrap(request)
  if ('unavailable' in backend) throw new Error(backend.unavailable)

  const placeOf = (run: string, name = run) => {
    const place = { tree: join(folder, name), home: join(folder, `${name}-home`), run }
    for (const it of [place.tree, place.home, request.realHome]) mkdirSync(it, { recursive: true })
    return { ...place, env: backend.env(place, { kind: 'run' }), confinement: backend.confine(place, { kind: 'run' }) }
  }
  const [one, two] = [placeOf(`one-${process.pid}`), placeOf(`two-${process.pid}`)]
  const runIn =
    (place: { tree: string; run: string; env: Record<string, string>; confinement: Confinement }, program: string): Limited['shell'] =>
    (code, options = {}) =>
      runProgram({
        argv: [program, '-c', code],
        cwd: place.tree,
        env: place.env,
        confinement: place.confinement,
        timeoutMs: 60_000,
        run: place.run,
        ...options,
      })
  return {
    tree: one.tree,
    shell: runIn(one, '/bin/sh'),
    beside: runIn(placeOf(one.run, 'beside'), '/bin/sh'),
    python: runIn(one, '/usr/bin/python3'),
    other: { tree: two.tree, shell: runIn(two, '/bin/sh') },
  }
}

/** Processes of this machine with this word in their command line, as `pid command`. */
export function processesWith(word: string): string[] {
  return readdirSync('/proc')
    .filter((it) => /^\d+$/.test(it) && it !== String(process.pid))
    .map((pid) => `${pid} ${commandLine(pid)}`)
    .filter((it) => it.includes(word))
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ').trim()
  } catch {
    return '' // gone
  }
}
