import { dirname, join } from 'node:path'
import { runProgram } from '../../../process/run-program.ts'
import { which } from '../../../process/which.ts'
import type { User } from './managers.ts'

// Starting a package manager takes a second on a busy machine.
const ASK_MS = 15_000

// Package managers keep it beside themselves: below the folder that node's own lies in, and where systems put that.
const MACHINE = [...new Set(['/etc', '/usr/etc', '/usr/local/etc', join(dirname(dirname(process.execPath)), 'etc')])]

/** The user as they are: their tools run in their home with their environment, and none of them looks for news of itself. */
export function theUser(env: Readonly<Record<string, string | undefined>>, home: string): User {
  const given = Object.fromEntries(Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
  const quiet = { NO_UPDATE_NOTIFIER: '1', COREPACK_ENABLE_NETWORK: '0', COREPACK_ENABLE_DOWNLOAD_PROMPT: '0', NO_COLOR: '1' }
  return {
    env,
    home,
    machine: MACHINE,
    async run([program, ...args]) {
      const found = await which(program, env['PATH'] ?? '')
      if (found === null) return null
      const { exitCode, stdout } = await runProgram({ argv: [found, ...args], cwd: home, env: { ...given, ...quiet }, timeoutMs: ASK_MS })
      return exitCode === 0 ? stdout : null
    },
  }
}
