import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { settingsSchema } from '../../src/core/settings.ts'
import { runProgram } from '../../src/process/run-program.ts'
import { createSandbox } from '../../src/sandbox/create.ts'
import type { Profile, Sandbox } from '../../src/sandbox/port.ts'
import { git } from '../support/repository.ts'
import { type Figure, figure, inTurns, millisecondsOf } from './measure.ts'

const ROUNDS = 50
const COMMANDS = 200
const MAIN = join(import.meta.dirname, '../../src/main.ts')

/** A command of a run in the sandbox of this machine, against the same program started bare. */
export function sandboxRun(folder: string): Promise<Figure> {
  return perCommand(folder, 'a command in the run profile', { kind: 'run' })
}

/** The same with the way out of setup commands: proxy, bridge, and a Node that opens it. */
export function sandboxInstall(folder: string): Promise<Figure> {
  return perCommand(folder, 'a command in the install profile', {
    kind: 'install',
    hosts: [{ host: 'example.com', port: 443, own: false }],
  })
}

async function perCommand(folder: string, name: string, profile: Profile): Promise<Figure> {
  const sandbox = await sandboxIn(folder)
  try {
    const place = { tree: join(folder, 'tree'), home: join(folder, 'home'), run: 'perf' }
    mkdirSync(place.tree)
    const env = sandbox.env(place, profile)
    const confinement = sandbox.confine(place, profile)
    const measured = await inTurns(
      ROUNDS,
      () =>
        millisecondsOf(async () => {
          const { exitCode, problem } = await runProgram({ argv: ['/bin/true'], cwd: place.tree, env, timeoutMs: 60_000, confinement })
          if (exitCode !== 0) throw new Error(problem)
        }),
      () => millisecondsOf(bare),
    )
    return figure(`${name} (${sandbox.report.by})`, measured, 'a bare spawn')
  } finally {
    await sandbox.close()
  }
}

function bare(): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/true', { stdio: 'ignore' })
    child.once('error', reject)
    child.once('close', () => resolve())
  })
}

function sandboxIn(folder: string): Promise<Sandbox> {
  const { sandbox: settings } = settingsSchema.parse({})
  const request = { settings, folder: join(folder, 'sandbox'), env: process.env, realHome: homedir() }
  return createSandbox({ ...request, signal: new AbortController().signal })
}

/** A whole run whose agent starts 200 commands, in the sandbox of this machine, against the same run with plain processes. */
export async function runOf200(folder: string): Promise<Figure> {
  const project = join(folder, 'project')
  mkdirSync(project)
  // Each a little different: an agent that does the same again and again is stopped.
  const call = (number: number) => ({ tool: 'run_command', input: { command: `test ${number} -gt 0` } })
  const turn = (first: number) => ({ calls: Array.from({ length: 10 }, (_, at) => call(first + at + 1)) })
  const calls = Array.from({ length: COMMANDS / 10 }, (_, at) => turn(at * 10))
  const write = { calls: [{ tool: 'write_file', input: { path: 'NOTES.md', content: 'Looked.\n' } }] }
  writeFileSync(join(folder, 'replies.yaml'), JSON.stringify({ replies: [{ turns: [...calls, write, { text: 'Done.' }] }] }))
  writeFileSync(
    join(project, 'reeve.toml'),
    `[gates.tests]\ncommand = "true"\n[providers.script]\nkind = "scripted"\nfile = "../replies.yaml"\n[runs]\nworkflow = "direct"\n`,
  )
  git(project, 'init', '-q', '-b', 'main')
  git(project, 'add', '-A')
  git(project, 'commit', '-q', '-m', 'First commit')
  let number = 0
  const run = (level: string) => () => {
    number += 1
    const env = {
      ...process.env,
      REEVE_HOME: join(folder, `state-${number}`),
      REEVE_FOREGROUND: '1',
      REEVE_SANDBOX__LEVEL: level,
      REEVE_SANDBOX__MINIMUM: 'guarded',
    }
    const argv = ['--disable-warning=ExperimentalWarning', MAIN, 'run', 'Look at it', '--kind', 'chore', '--json'] as const
    return millisecondsOf(async () => {
      const { stdout, stderr } = await runProgram({
        argv: [process.execPath, ...argv],
        cwd: project,
        env,
        timeoutMs: 300_000,
        keepBytes: 1 << 24,
      })
      const acted = stdout.split('\n').filter((line) => line.includes('"agent.acted"') && line.includes('"run_command"'))
      if (acted.length < COMMANDS) throw new Error(`${acted.length} commands were run: ${stderr.slice(-2000)}`)
    })
  }
  return figure(`a run of ${COMMANDS} commands`, await inTurns(3, run('auto'), run('guarded')), 'the same with plain processes')
}
