import { randomBytes } from 'node:crypto'
import type { Readable, Writable } from 'node:stream'
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio'
import type { Client } from '../client/client.ts'
import { createMcpServer } from './server.ts'
import { addressesIn, followAll, serveSubscriptions, watched } from './subscriptions.ts'

export interface McpStdioOptions {
  client: Client
  version: string
  /** Absent: those of this process. */
  stdin?: Readable
  stdout?: Writable
  /** One line about what went wrong outside of an answer; never on standard output. */
  log: (line: string) => void
  /** Ends the service. */
  signal: AbortSignal
}

/** Serves one host until it closes our input. Runs that a daemon works on go on; others stay where they are. */
export async function serveMcp({ client, version, log, signal, ...streams }: McpStdioOptions): Promise<void> {
  const { stdin = process.stdin, stdout = process.stdout } = streams
  const leave = new AbortController()
  const work = createWork(client, leave.signal, log)
  const key = randomBytes(32)
  let tell = (_uri: string): void => undefined
  const followed = followAll(client, (uri) => tell(uri))
  const transport = watched(new StdioServerTransport(stdin, stdout), (message) => {
    for (const uri of addressesIn(message)) followed.add(uri)
  })
  const handle = serveStdio(
    ({ era }) => {
      const ready = client.resident ? () => undefined : work.add
      const server = createMcpServer({ client, caller: 'host', version, key, twoWay: true, ready })
      tell = (uri) => void server.server.sendResourceUpdated({ uri }).catch(() => undefined)
      if (era === 'legacy') serveSubscriptions(server, followed)
      return server
    },
    { transport, onerror: (error) => log(error.message) },
  )
  await new Promise<void>((resolve) => {
    stdin.once('end', resolve)
    stdin.once('close', resolve)
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
  await handle.close()
  followed.end()
  leave.abort()
  await work.ended()
}

/** Runs that this process works on, each once, until the signal. */
function createWork(client: Client, signal: AbortSignal, log: (line: string) => void) {
  const all = new Map<string, Promise<void>>()
  async function work(run: string): Promise<void> {
    try {
      for await (const _ of client.stream('runs.work', { runs: [run] }, signal));
    } catch (error) {
      if (!signal.aborted) log(`run ${run}: ${error instanceof Error ? error.message : String(error)}`)
    } finally {
      all.delete(run)
    }
  }
  return {
    add: (run: string): void => {
      if (!all.has(run)) all.set(run, work(run))
    },
    ended: async () => {
      await Promise.allSettled(all.values())
    },
  }
}
