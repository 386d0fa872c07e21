import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { askJson, type Server, serverEnv } from '../../support/server.ts'
import { type Figure, shown } from '../measure.ts'
import { noteTask } from './project.ts'

// The record is made with 1000, which takes ten minutes on two cores.
const RUNS = Number(process.env['REEVE_RUNS'] ?? 100)
const AT_ONCE = 8
const MAIN = join(import.meta.dirname, '../../../src/main.ts')
const exec = promisify(execFile)

/**
 * Runs per second of a queue of trivial runs, each with everything (worktree, agent, gates in a clean clone and in the sandbox, evidence), against
 * a loop that does the same git and process work by itself. Throws when a run does not end well.
 */
export async function throughput(folder: string, project: string, server: Server): Promise<Figure[]> {
  const calls = await gitCalls(folder, project)
  const submitted = await timed(() => inLanes(RUNS, 10, (at) => submit(project, server, `q-${at}`)))
  const worked = await timed(() => untilDone(server))
  const bare = await timed(() => inLanes(RUNS, AT_ONCE, (at) => bareRun(folder, project, at, calls)))
  const [ours, theirs] = [RUNS / (submitted + worked), RUNS / bare]
  return [
    {
      name: `runs per second, ${RUNS} trivial ones queued at once (which took ${shown(submitted)} s)`,
      ours: shown(ours),
      against: `a bare loop, ${calls} git commands and a gate for each, ${AT_ONCE} at once: ${shown(theirs)}`,
      ratio: theirs / ours,
    },
  ]
}

/** How often a run calls git, from its submission to its end: counted in one by a `git` that notes that it was called. */
async function gitCalls(folder: string, project: string): Promise<number> {
  const [bin, log, home] = [join(folder, 'counting'), join(folder, 'git.log'), join(folder, 'counted')]
  for (const it of [bin, join(home, 'user')]) mkdirSync(it, { recursive: true })
  const { stdout } = await exec('sh', ['-c', 'command -v git'])
  writeFileSync(join(bin, 'git'), `#!/bin/sh\necho >> ${log}\nexec ${stdout.trim()} "$@"\n`)
  chmodSync(join(bin, 'git'), 0o755)
  const { PATH, ...env } = serverEnv(home)
  const task = join(home, 'task.json')
  writeFileSync(task, noteTask(project, 'counted').documents[0]?.text ?? '')
  const args = ['--disable-warning=ExperimentalWarning', MAIN, '--foreground', 'run', '--file', task]
  await exec(process.execPath, args, { cwd: project, env: { ...env, PATH: [bin, PATH].join(delimiter) } })
  return readFileSync(log, 'utf8').length
}

async function submit(project: string, server: Server, id: string): Promise<void> {
  await askJson(server, '/api/v1/runs', { method: 'POST', body: noteTask(project, id) })
}

async function untilDone(server: Server): Promise<void> {
  for (;;) {
    const { runs } = await askJson<{ runs: { status: string }[] }>(server, `/api/v1/runs?all=true&limit=${RUNS}`)
    if (runs.every((it) => it.status === 'succeeded')) return
    const bad = runs.find((it) => !['queued', 'running', 'succeeded'].includes(it.status))
    if (bad) throw new Error(`A run is not well: ${JSON.stringify(bad)}`)
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
}

/** A worktree with a commit, its clone, one command in it; and git as often as a run calls it. */
async function bareRun(folder: string, project: string, at: number, calls: number): Promise<void> {
  const [tree, clone] = [join(folder, `bare-tree-${at}`), join(folder, `bare-clone-${at}`)]
  const identity = ['-c', 'user.name=bare', '-c', 'user.email=bare@localhost']
  await exec('git', ['-C', project, 'worktree', 'add', '-q', '-b', `bare-${at}`, tree])
  writeFileSync(join(tree, 'NOTES.md'), 'A note.\n')
  await exec('git', ['-C', tree, 'add', '-A'])
  await exec('git', ['-C', tree, ...identity, 'commit', '-q', '-m', 'A note'])
  await exec('git', ['clone', '-q', '--shared', tree, clone])
  await exec('sh', ['-c', 'true'], { cwd: clone })
  for (let more = 4; more < calls; more++) await exec('git', ['-C', tree, 'rev-parse', '--verify', '--quiet', 'HEAD^{commit}'])
}

async function inLanes(count: number, lanes: number, fn: (at: number) => Promise<void>): Promise<void> {
  let next = 0
  const lane = async () => {
    while (next < count) await fn(next++)
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}

/** Seconds. */
async function timed(fn: () => Promise<void>): Promise<number> {
  const began = performance.now()
  await fn()
  return (performance.now() - began) / 1000
}
