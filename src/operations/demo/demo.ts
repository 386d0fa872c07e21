import { cp, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ReeveError } from '../../core/errors.ts'
import type { RunEvent } from '../../core/event.ts'
import { type Json, parseJson } from '../../core/json.ts'
import type { RunView } from '../../core/run.ts'
import type { ProgramResult } from '../../process/port.ts'
import { runProgram } from '../../process/run-program.ts'
import { type DemoRecord, stagesOf } from './stages.ts'

export interface DemoPlace {
  /** Folder with `project/` and `task.yaml`. */
  templates: string
  /** Program and arguments that start this reeve. */
  reeve: readonly [string, ...string[]]
  env: Readonly<Record<string, string>>
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

/** Takes a task through the whole `build` workflow on a bundled project, through the same commands a user types. Yields what to show. */
export async function* runDemo(place: DemoPlace, signal: AbortSignal): AsyncGenerator<DemoLine> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'reeve-demo-')))
  try {
    const demo = await prepare(place, folder, signal)
    yield { type: 'said', text: `A small project was copied to ${demo.project}.` }
    yield {
      type: 'said',
      text: 'The models in this demo are scripted: their replies come from replies.yaml. Everything else is real: engine, git, test runner, kill -9.',
    }
    const record = await live(demo)
    for (const { name, happened, text } of stagesOf(record)) yield { type: 'stage', name, happened, text }
    const ok = stagesOf(record).every((it) => it.happened)
    yield { type: 'done', ok, folder: place.keep ? folder : null }
  } finally {
    if (!place.keep) await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
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
  const env = { ...place.env, REEVE_HOME: join(folder, 'state'), GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' }
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

/** The demo as a person would type it, and what came of it. */
async function live(demo: Demo): Promise<DemoRecord> {
  const killed = await demo.reeve(['run', '--file', '../task.yaml', '--json'], {
    REEVE_CRASH_AT: `after-effect-before-journal:${KILLED_IN}`,
  })
  const resumed = await demo.reeve(['resume', 'last', '--json'])
  if (resumed.exitCode !== 0)
    throw new ReeveError('environment', {
      problem: `The demo's run did not end well: ${resumed.stderr || lastLine(killed.stderr) || resumed.problem}`,
    })

  const verify = await demo.reeve(['verify', 'last'])
  mustSucceed(await demo.reeve(['land', 'last', '--merge']))
  const show = await demo.reeve(['show', 'last', '--json'])
  const logs = await demo.reeve(['logs', 'last', '--json'])
  const run = parseJson(mustSucceed(show).stdout, 'reeve show') as unknown as RunView
  const merged = await demo.program(['git', 'merge-base', '--is-ancestor', run.commit ?? 'none', 'main'])
  const tests = await demo.program(['npm', 'test'])
  return {
    run,
    events: events(mustSucceed(logs).stdout),
    killed,
    verify: { exitCode: verify.exitCode, text: lastLine(verify.stdout) },
    landed: { merged: merged.exitCode === 0, testsPass: tests.exitCode === 0 },
  }
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
