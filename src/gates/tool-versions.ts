import { runProgram } from '../process/run-program.ts'
import type { DetectedCommand } from '../scanner/port.ts'
import type { Checkout } from '../workspace/port.ts'

// Enough for any tool to say its version; one that does not is known by its name alone.
const TIMEOUT_MS = 10_000

/** Asks tools for their version, each once. '' for those that do not say, and for those whose version is in the project's own files. */
export function toolVersions(): (command: DetectedCommand, checkout: Checkout) => Promise<string> {
  const known = new Map<string, Promise<string>>()
  return (command, checkout) => {
    const program = command.needs?.program ?? command.argv[0]
    // What lies inside the project is fixed by its lockfile, which is part of the base's tree.
    if (program.includes('/') || program === 'sh') return Promise.resolve('')
    const key = `${program}\n${checkout.env['PATH'] ?? ''}`
    const version = known.get(key) ?? versionOf(program, checkout)
    known.set(key, version)
    return version
  }
}

async function versionOf(program: string, checkout: Checkout): Promise<string> {
  const result = await runProgram({
    argv: [program, '--version'],
    cwd: checkout.path,
    env: checkout.env,
    ...(checkout.confinement === undefined ? {} : { confinement: checkout.confinement }),
    timeoutMs: TIMEOUT_MS,
    keepBytes: 4096,
  })
  return result.exitCode === 0 ? result.stdout.trim().slice(0, 500) : ''
}
