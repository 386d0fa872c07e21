import { readFile } from 'node:fs/promises'
import { runProgram } from './run-program.ts'

/** A process that cannot be confused with a later one of the same number. */
export interface ProcessIdentity {
  pid: number
  /** When it started, in the system's own words; '' when the system does not say. */
  started: string
}

/** This process. */
export function thisProcess(): Promise<ProcessIdentity> {
  return identityOf(process.pid)
}

/** The process of this number, as it is now. */
export async function identityOf(pid: number): Promise<ProcessIdentity> {
  return { pid, started: await startOf(pid) }
}

/** Is it still running? */
export async function isAlive({ pid, started }: ProcessIdentity): Promise<boolean> {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  return (await startOf(pid)) === started
}

async function startOf(pid: number): Promise<string> {
  if (process.platform !== 'linux') {
    const env = { PATH: '/bin:/usr/bin', LC_ALL: 'C' }
    const result = await runProgram({ argv: ['ps', '-o', 'lstart=', '-p', String(pid)], cwd: '/', env, timeoutMs: 5000, trusted: true })
    return result.stdout.trim()
  }
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '')
  // Counted behind the name in brackets, which may itself contain spaces: the 3rd field and the 22nd.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  // One that has ended and that nobody has asked for its exit code yet: it holds nothing any more.
  return fields[0] === 'Z' ? 'ended' : (fields[19] ?? '')
}
