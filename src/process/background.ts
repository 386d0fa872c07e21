import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'

export interface BackgroundSpec {
  argv: readonly [string, ...string[]]
  /** Absolute; a folder that stays. */
  cwd: string
  /** The whole environment. */
  env: Readonly<Record<string, string | undefined>>
  /** Gets what it says; begun anew. */
  output: string
}

export interface BackgroundProgram {
  pid: number | undefined
  /** How it ended, a sentence; never rejects. Waiting for it does not keep this process alive. */
  ended: Promise<string>
}

/** Starts one of reeve's own programs in a session of its own, which goes on when this process and its terminal are gone. */
export function startInBackground({ argv, cwd, env, output }: BackgroundSpec): BackgroundProgram {
  const [program, ...args] = argv
  const log = openSync(output, 'w', 0o600)
  try {
    const child = spawn(program, args, { cwd, env: { ...env }, detached: true, stdio: ['ignore', log, log] })
    child.unref()
    const ended = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(`it could not be started: ${error.message}`))
      child.once('exit', (code, signal) => resolve(signal === null ? `it ended with exit code ${code}` : `it was ended by ${signal}`))
    })
    return { pid: child.pid, ended }
  } finally {
    closeSync(log)
  }
}
