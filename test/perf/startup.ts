import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { type Figure, figure, inTurns, millisecondsOf } from './measure.ts'

const MAIN = join(import.meta.dirname, '../../src/main.ts')
const REEVE = ['--disable-warning=ExperimentalWarning', MAIN]

/** Runs Node and waits for its end. */
function nodeIn(cwd: string, folder: string) {
  // Short: the path of the daemon's socket has to be.
  const env = { PATH: process.env['PATH'] ?? '', HOME: folder, REEVE_HOME: folder, REEVE_DAEMON__PORT: '0' }
  return (...args: string[]) =>
    millisecondsOf(() => {
      const { status, stderr } = spawnSync(process.execPath, args, { cwd, env, encoding: 'utf8' })
      if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}: ${stderr}`)
    })
}

/** `reeve --help` against a Node that does nothing. */
export async function startup(folder: string): Promise<Figure> {
  const node = nodeIn(folder, folder)
  const measured = await inTurns(
    15,
    () => node(...REEVE, '--help'),
    () => node('-e', '0'),
  )
  return figure('`reeve --help`', measured, '`node -e 0`')
}

/** A command that asks a daemon, against one that asks nobody. */
export async function asking(folder: string): Promise<Figure> {
  const project = join(folder, 'project')
  const commit = ['-C', project, '-c', 'user.name=perf', '-c', 'user.email=perf@localhost', 'commit', '-q', '--allow-empty', '-m', 'One']
  for (const args of [['init', '-q', project], commit]) {
    const { status, stderr } = spawnSync('git', args, { encoding: 'utf8' })
    if (status !== 0) throw new Error(`git ${args.join(' ')} ended with ${status}: ${stderr}`)
  }
  const node = nodeIn(project, folder)
  await node(...REEVE, 'ls')
  try {
    const measured = await inTurns(
      15,
      () => node(...REEVE, 'ls'),
      () => node(...REEVE, '--help'),
    )
    return figure('`reeve ls` with a daemon', measured, '`reeve --help`')
  } finally {
    await node(...REEVE, 'daemon', 'stop')
  }
}
