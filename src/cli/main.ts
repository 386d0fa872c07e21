import type { Client } from '../client/client.ts'
import { reportFailure } from './fail.ts'
import type { Io } from './io.ts'
import { parseCommandLine } from './program.ts'

/** What a process gives to the command line. */
export interface Host extends Omit<Io, 'json' | 'client'> {
  /** Opens the product for a project folder. Called once, and only by commands that need it. */
  open(options: { cwd: string }): Promise<Client>
}

/** Runs one command line and returns its exit code. Never throws. */
export async function main(argv: readonly string[], host: Host): Promise<number> {
  const wantsJson = argv.includes('--json') && !argv.slice(0, argv.indexOf('--json')).includes('--')
  let opened: Promise<Client> | undefined
  try {
    const parsed = parseCommandLine(argv)
    if (parsed.kind === 'help') {
      host.out(parsed.text)
      return 0
    }
    if (parsed.kind === 'version') {
      host.out(`${host.version}\n`)
      return 0
    }
    const cwd = parsed.project === undefined ? host.cwd : host.resolve(parsed.project)
    const io: Io = { ...host, cwd, json: parsed.json, client: () => (opened ??= host.open({ cwd })) }
    const run = await parsed.spec.load()
    return await run(io, parsed.args, parsed.options)
  } catch (error) {
    return reportFailure({ ...host, json: wantsJson }, error)
  } finally {
    // A failure to close must not hide the answer.
    await opened?.then((client) => client.close()).catch(() => undefined)
  }
}
