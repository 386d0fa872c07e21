import type { Client } from '../client/client.ts'
import { reportFailure } from './fail.ts'
import type { Io } from './io.ts'
import { parseCommandLine } from './program.ts'

/** What a process gives to the command line. */
export interface Host extends Omit<Io, 'json' | 'client'> {
  /** Opens the product for a project folder, in this process or by the daemon. Called once, and only by commands that need it. */
  open(options: { cwd: string; foreground: boolean }): Promise<Client>
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && !['', '0', 'false'].includes(value)
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
    const foreground = parsed.foreground || isSet(host.env['REEVE_FOREGROUND'])
    const cwd = parsed.project === undefined ? host.cwd : host.resolve(parsed.project)
    const io: Io = { ...host, cwd, json: parsed.json, client: () => (opened ??= host.open({ cwd, foreground })) }
    const run = await parsed.spec.load()
    return await run(io, parsed.args, parsed.options)
  } catch (error) {
    return reportFailure({ ...host, json: wantsJson }, error)
  } finally {
    // A failure to close must not hide the answer.
    await opened?.then((client) => client.close()).catch(() => undefined)
  }
}
