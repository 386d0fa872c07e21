import { cp, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ReeveError } from '../../core/errors.ts'
import type { RunEvent } from '../../core/event.ts'
import { type Json, parseJson } from '../../core/json.ts'
import type { RunView } from '../../core/run.ts'
import type { ProgramResult } from '../../process/port.ts'
import { runProgram } from '../../process/run-program.ts'
import { isolationStage, landStage, type Recorded, type Stage, stagesAfterTheKill, stagesBeforeTheKill, verifyStage } from './stages.ts'

export interface DemoPlace {
  /** Folder with `project/` and `task.yaml`. */
  templates: string
  /** Program and arguments that start this reeve. */
  reeve: readonly [string, ...string[]]
  env: Readonly<Record<string, string>>
  /** How programs of runs are held on this machine. */
  isolation: { level: string; by: string }
  /** Leave the folder for a person to look at. */
  keep: boolean
}

export type DemoLine =
  | { type: 'said'; text: string }
  | { type: 'stage'; name: string; happened: boolean; text: string }
  | { type: 'done'; ok: boolean; folder: string | null }

// The step in whose middle the process is killed: the second attempt has been asked for and has not been kept.
const KILLED_IN = 'part-1/attempt-2/implement'
// The whole demo takes seconds; a machine that needs longer for one command has another problem.
const COMMAND_MS = 120_000

/** Takes a task through the whole `build` workflow on a bundled project, by the commands a user types. Yields what to show as it happens. */
export async function* runDemo(place: DemoPlace, signal: AbortSignal): AsyncGenerator<DemoLine> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'reeve-demo-')))
  let ok = true
  try {
    yield* said('A small project is copied into a temporary folder, and a task is given to reeve: show 1500 minutes as "1d 1h", not "25h".')
    yield* said('The replies of the models are scripted (replies.yaml). All the rest is real: engine, git, test runner, kill -9.')
    yield* said(
      `Its code is ours, so it runs at whatever level of isolation this machine has: ${place.isolation.level}, by ${place.isolation.by}.`,
    )
    const demo = await prepare(place, folder, signal)
    for await (const line of live(demo, place.isolation.level)) {
      if (line.type === 'stage' && !line.happened) ok = false
      yield line
    }
    yield { type: 'done', ok, folder: place.keep ? folder : null }
  } finally {
    if (!place.keep) await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

function* said(text: string): Generator<DemoLine> {
  yield { type: 'said', text }
}

function* stages(list: readonly Stage[]): Generator<DemoLine> {
  for (const it of list) yield { type: 'stage', ...it }
}

interface Demo {
  project: string
  reeve(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<ProgramResult>
  program(argv: readonly [string, ...string[]]): Promise<ProgramResult>
}

async function prepare(place: DemoPlace, folder: string, signal: AbortSignal): Promise<Demo> {
  const project = join(folder, 'tide-clock')
  await cp(join(place.templates, 'project'), project, { recursive: true })
  await cp(join(place.templates, 'task.yaml'), join(folder, 'task.yaml'))
  const own = { REEVE_SANDBOX__MINIMUM: 'none', REEVE_FOREGROUND: '1' }
  const env = { ...place.env, ...own, REEVE_HOME: join(folder, 'state'), GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' }
  const start = (argv: readonly [string, ...string[]], more: Readonly<Record<string, string>> = {}) =>
    runProgram({ argv, cwd: project, env: { ...env, ...more }, timeoutMs: COMMAND_MS, keepBytes: 16 * 1024 * 1024, signal })
  const program = (argv: readonly [string, ...string[]]) => start(argv)
  for (const args of [
    ['init', '-q', '-b', 'main'],
    ['add', '-A'],
    ['-c', 'user.name=You', '-c', 'user.email=you@example.invalid', 'commit', '-q', '-m', 'First commit'],
  ]) {
    mustSucceed(await program(['git', ...args]))
  }
  return { project, program, reeve: (args, more) => start([...place.reeve, ...args], more) }
}

/** The demo as a person would type it, each stage proved before the next command. */
async function* live(demo: Demo, level: string): AsyncGenerator<DemoLine> {
  yield* said('$ reeve run --file task.yaml')
  const killed = await demo.reeve(['run', '--file', '../task.yaml', '--json'], {
    REEVE_CRASH_AT: `after-effect-before-journal:${KILLED_IN}`,
  })
  const before = await recorded(demo)
  yield* stages([isolationStage(before, level), ...stagesBeforeTheKill(before, killed)])

  yield* said('$ reeve resume')
  await demo.reeve(['resume', 'last', '--json'])
  const { run, events } = await recorded(demo)
  yield* stages(stagesAfterTheKill({ run, events }))

  yield* said('$ reeve verify last')
  yield* stages([verifyStage(await demo.reeve(['verify', 'last']))])

  yield* said('$ reeve land last --merge')
  await demo.reeve(['land', 'last', '--merge'])
  const merged = await demo.program(['git', 'merge-base', '--is-ancestor', run.commit ?? 'none', 'main'])
  const tests = await demo.program(['npm', 'test'])
  yield* stages([landStage(merged.exitCode === 0, tests.exitCode === 0)])
}

async function recorded(demo: Demo): Promise<Recorded> {
  const show = mustSucceed(await demo.reeve(['show', 'last', '--json']))
  const logs = mustSucceed(await demo.reeve(['logs', 'last', '--json']))
  return { run: parseJson(show.stdout, 'reeve show') as unknown as RunView, events: events(logs.stdout) }
}

function events(lines: string): RunEvent[] {
  return lines
    .split('\n')
    .filter((it) => it.trim() !== '')
    .map((it) => parseJson(it, 'reeve logs') as Json & RunEvent)
}

function mustSucceed(result: ProgramResult): ProgramResult {
  if (result.exitCode === 0) return result
  throw new ReeveError('environment', { problem: `${result.problem} ${lastLine(result.stderr)}`.trim() })
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? ''
}
