import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { type Figure, figure, inTurns, millisecondsOf } from './measure.ts'

const MAIN = join(import.meta.dirname, '../../src/main.ts')

/** `reeve --help` against a Node that does nothing. */
export async function startup(folder: string): Promise<Figure> {
  const node = (...args: string[]) =>
    millisecondsOf(() => {
      const { status, stderr } = spawnSync(process.execPath, args, {
        cwd: folder,
        env: { PATH: process.env['PATH'] ?? '', HOME: folder, REEVE_HOME: folder },
        encoding: 'utf8',
      })
      if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}: ${stderr}`)
    })
  const measured = await inTurns(
    15,
    () => node('--disable-warning=ExperimentalWarning', MAIN, '--help'),
    () => node('-e', '0'),
  )
  return figure('`reeve --help`', measured, '`node -e 0`')
}
