import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { RunEvent } from '../../src/core/event.ts'
import type { RunView } from '../../src/core/run.ts'
import { temporaryFolder } from './folder.ts'

const MAIN = join(import.meta.dirname, '../../src/main.ts')
const PACKAGES = join(import.meta.dirname, '../../node_modules')
// One command of a small project takes seconds; the slowest here compiles C++ a few times.
const LIMIT_MS = 180_000

export interface Outcome {
  /** null when a signal ended it. */
  exitCode: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
  /** Everything it said, for the messages of assertions. */
  text: string
}

export interface Started {
  child: ChildProcess
  ended: Promise<Outcome>
  /** Resolves with the first line of standard output that fits; rejects when the process ends without one. */
  line(fits: (line: string) => boolean): Promise<string>
}

/** The real command line as processes, with a clean home and a data folder of its own. */
export interface Reeve {
  readonly home: string
  readonly project: string
  /** Runs one command and waits for its end. */
  (args: readonly string[], options?: Options): Promise<Outcome>
  start(args: readonly string[], options?: Options): Started
  /** Runs a command that must exit 0 and answers JSON. */
  json<T>(...args: string[]): Promise<T>
  /** `run --json` with this task: its last line is the finished run. */
  run(task: TaskFile | readonly TaskFile[], options?: Options & { args?: readonly string[] }): Promise<Finished>
  show(run?: string): Promise<RunView>
  events(run?: string): Promise<RunEvent[]>
}

interface Options {
  env?: Readonly<Record<string, string>>
  cwd?: string
  timeoutMs?: number
  /** A program, with its arguments, that starts reeve: one that takes something away from it. */
  through?: readonly string[]
}

export type TaskFile = { id: string; title: string; description: string } & Record<string, unknown>

export interface Finished extends Outcome {
  run: RunView
  /** All finished runs in the order they ended, when there were several tasks. */
  runs: RunView[]
  events: RunEvent[]
}

/** reeve for a project. `home` (default: a fresh one) holds its data and the user's home. `env`: of all its commands. */
export function reeveFor(project: string, home: string = temporaryFolder('reeve-home-'), env: Options['env'] = {}): Reeve {
  const start = (args: readonly string[], options: Options = {}): Started =>
    startProcess(project, home, args, { ...options, env: { ...env, ...options.env } })
  const call = (args: readonly string[], options: Options = {}): Promise<Outcome> => start(args, options).ended
  const json = async <T>(...args: string[]): Promise<T> => {
    const outcome = await call(args)
    if (outcome.exitCode !== 0) throw new Error(`reeve ${args.join(' ')} gave ${outcome.exitCode}:\n${outcome.text}`)
    return JSON.parse(outcome.stdout) as T
  }
  return Object.assign(call, {
    home,
    project,
    start,
    json,
    run: async (task: TaskFile | readonly TaskFile[], options: Options & { args?: readonly string[] } = {}) => {
      const file = writeTask(home, task)
      return finished(await call(['run', '--file', file, '--json', ...(options.args ?? [])], options))
    },
    show: (run = 'last') => json<RunView>('show', run, '--json'),
    events: async (run = 'last') => {
      const outcome = await call(['logs', run, '--json'])
      if (outcome.exitCode !== 0) throw new Error(`reeve logs gave ${outcome.exitCode}:\n${outcome.text}`)
      return ndjson(outcome.stdout) as RunEvent[]
    },
  })
}

let files = 0

/** Writes a task file outside the project and gives its path. JSON is YAML. */
export function writeTask(home: string, task: TaskFile | readonly TaskFile[]): string {
  const file = join(home, 'tasks', `task-${++files}.yaml`)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, JSON.stringify(task, null, 2))
  return file
}

/** The lines of NDJSON as values; a line that is no JSON is an error that shows it. */
export function ndjson(text: string): unknown[] {
  return text
    .split('\n')
    .filter((it) => it !== '')
    .map((line) => {
      try {
        return JSON.parse(line) as unknown
      } catch {
        throw new Error(`Not a line of JSON: ${line}`)
      }
    })
}

/** Reads what `run --json` said: events, then finished runs. */
export function finished(outcome: Outcome): Finished {
  const lines = ndjson(outcome.stdout) as ({ seq?: number; steps?: unknown } & Record<string, unknown>)[]
  const runs = lines.filter((it) => Array.isArray(it.steps)) as unknown as RunView[]
  const events = lines.filter((it) => typeof it.seq === 'number') as unknown as RunEvent[]
  const run = runs.at(-1)
  if (!run) throw new Error(`No finished run in what was said (exit ${outcome.exitCode}):\n${outcome.text}`)
  return { ...outcome, run, runs, events, text: `${runs.map(story).join('\n')}\n${refusals(events)}\n${outcome.stderr}` }
}

/** A value of an event's data that is a text. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** What agents asked for and did not get. */
function refusals(events: readonly RunEvent[]): string {
  const refused = events.filter((it) => it.type === 'agent.acted' && it.data['ok'] === false)
  return refused.map(({ data }) => `  refused ${textOf(data['tool'])} ${textOf(data['target'])}: ${textOf(data['summary'])}`).join('\n')
}

/** A run in the lines that say why it ended as it did. */
function story(run: RunView): string {
  const { verdict } = run
  const found = verdict?.gates.flatMap((gate) => gate.findings) ?? []
  return [
    `${run.id} ${run.task.id}: ${run.status} ${run.reason ?? ''}: ${run.message}`,
    ...run.steps.map((it) => `  ${it.status} ${it.name}: ${it.summary}`),
    ...(verdict?.gates.map((it) => `  gate ${it.name} ${it.status}: ${it.command ?? ''} (${it.reason})`) ?? []),
    ...found.map((it) => `  ${it.attribution} ${it.severity} ${it.rule} ${it.file}:${it.line} ${it.message.slice(0, 200)}`),
    `  proof ${verdict?.redProof.status}: ${verdict?.redProof.reason}`,
  ].join('\n')
}

function startProcess(project: string, home: string, args: readonly string[], options: Options): Started {
  const user = join(home, 'user')
  mkdirSync(user, { recursive: true })
  const [program, ...before] = [...(options.through ?? []), process.execPath]
  const child = spawn(program ?? '', [...before, '--disable-warning=ExperimentalWarning', MAIN, ...args], {
    cwd: options.cwd ?? project,
    env: {
      PATH: [dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter),
      HOME: user,
      REEVE_HOME: join(home, 'reeve'),
      // Each process by itself; tests of the daemon take this away.
      REEVE_FOREGROUND: '1',
      LANG: 'C.UTF-8',
      GIT_CONFIG_NOSYSTEM: '1',
      // Machines without bubblewrap run these tests too, at what they have; tests of the rule itself take this away.
      REEVE_SANDBOX__MINIMUM: 'guarded',
      // Fixtures link the tools they need from here.
      REEVE_SANDBOX__READ: JSON.stringify([PACKAGES]),
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? LIMIT_MS)
  onTestFinished(() => void child.kill('SIGKILL'))

  const out = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8')
    child[name].on('data', (text: string) => {
      out[name] += text
    })
  }
  const ended = new Promise<Outcome>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (exitCode, signal) => {
      clearTimeout(timer)
      const { stdout, stderr } = out
      resolve({ exitCode, signal, stdout, stderr, text: `${tail(stdout)}\n${tail(stderr)}` })
    })
  })
  const line = (fits: (line: string) => boolean): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): boolean => {
        // The last piece may be half a line.
        const found = out.stdout.split('\n').slice(0, -1).find(fits)
        if (found !== undefined) resolve(found)
        return found !== undefined
      }
      if (look()) return
      child.stdout.on('data', look)
      void ended.then((it) => look() || reject(new Error(`It ended without the line that was waited for:\n${it.text}`)))
    })
  return { child, ended, line }
}

function tail(text: string): string {
  return text.length > 6000 ? `...${text.slice(-6000)}` : text
}
