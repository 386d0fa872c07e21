import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { parseJson } from '../../core/json.ts'
import { searchPath } from '../../process/env.ts'
import type { Confinement } from '../../process/port.ts'
import { listProcesses } from '../../process/process-table.ts'
import { killWhere } from '../../process/process-tree.ts'
import { runProgram } from '../../process/run-program.ts'
import type { Stage } from './stage.ts'

/** How the attacks went, as they say themselves. */
export interface Played {
  /** Attack to what it got. */
  got: ReadonlyMap<string, string>
  /** Attack to why it was refused. */
  refused: ReadonlyMap<string, string>
  /** The process that was left behind, after all were killed; `unseen`: it was not there before either. */
  sleeper: 'unseen' | 'died' | 'outlived'
  /** Why the attacks were not all tried; '' when they were. */
  problem: string
}

// The attacks take 50 ms; a machine that starts them much later than this is of no use for runs.
const TIMEOUT_MS = 20_000
// The process left behind is there, and gone, within 10 ms; looking takes longer where the machine is busy, so looks are counted, not time.
const LOOKS = 25

const LineSchema = z.object({ attack: z.string(), got: z.string().optional(), refused: z.string().optional() })

/** Starts the attacks on a stage, kills them when all were tried, and looks what is left. */
export async function play(stage: Stage, options: { confinement: Confinement | undefined; signal: AbortSignal }): Promise<Played> {
  const { confinement, signal } = options
  const killing = new AbortController()
  let seen = Promise.resolve(false)
  let [output, ready] = ['', false]
  const result = await runProgram({
    argv: [process.execPath, stage.script, JSON.stringify(stage.target)],
    cwd: stage.place.tree,
    env: { PATH: searchPath(process.env), HOME: stage.place.home, LANG: 'C.UTF-8' },
    timeoutMs: TIMEOUT_MS,
    signal: AbortSignal.any([signal, killing.signal]),
    ...(confinement === undefined ? {} : { confinement }),
    onOutput: ({ stream, text }) => {
      if (stream === 'stdout') output += text
      if (ready || !output.includes('"ready"')) return
      ready = true
      seen = becomes(stage.target.sleeper, true).finally(() => killing.abort())
    },
  })
  const there = await seen
  // Unconfined it lives on, as it must: no use in waiting for its end.
  const gone = confinement !== undefined && (await becomes(stage.target.sleeper, false))
  if (!gone) await killWhere((row) => row.proc === stage.target.sleeper)
  signal.throwIfAborted()
  const lines = result.stdout
    .split('\n')
    .flatMap((it) => (it.startsWith('{"attack"') ? [LineSchema.parse(parseJson(it, 'an attack'))] : []))
  return {
    got: new Map(lines.flatMap((it) => (it.got === undefined ? [] : [[it.attack, it.got]]))),
    refused: new Map(lines.flatMap((it) => (it.refused === undefined ? [] : [[it.attack, it.refused]]))),
    sleeper: !there ? 'unseen' : gone ? 'died' : 'outlived',
    problem: ready ? '' : result.stderr.trim().split('\n').slice(0, 3).join(' ') || result.problem || 'what it started ended at once.',
  }
}

/** Is a process with this mark there (or not) within a moment? */
async function becomes(mark: string, there: boolean): Promise<boolean> {
  for (let look = 0; look < LOOKS; look++) {
    const rows = await listProcesses()
    if (rows.some((row) => row.proc === mark) === there) return true
    await delay(8)
  }
  return false
}
