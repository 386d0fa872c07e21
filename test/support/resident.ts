import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { isAlive } from '../../src/process/alive.ts'
import { temporaryFolder } from './folder.ts'
import { type Reeve, reeveFor } from './reeve.ts'

/** What the file of a daemon says. */
export interface DaemonPlace {
  pid: number
  process: string
  socket: string
  url: string
  token: string
}

export interface Resident extends Reeve {
  /** Of the daemon that wrote it last; it may be dead. */
  place(): DaemonPlace | null
}

/** The command line with a daemon, which the first command starts and which is gone after the test. */
export function residentReeve(project: string, env: Readonly<Record<string, string>> = {}): Resident {
  // Short: the path of its socket has to be.
  const home = temporaryFolder('reeve-d-')
  const reeve = reeveFor(project, home, { REEVE_FOREGROUND: '', REEVE_DAEMON__PORT: '0', ...env })
  const path = join(home, 'reeve', 'state', 'daemon.json')
  const place = () => (existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as DaemonPlace) : null)
  onTestFinished(async () => {
    const last = place()
    if (last !== null && (await isAlive({ pid: last.pid, started: last.process }))) process.kill(last.pid, 'SIGKILL')
  })
  return Object.assign(reeve, { place })
}
