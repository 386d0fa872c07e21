import { randomBytes } from 'node:crypto'
import type { Readable, Writable } from 'node:stream'
import { type ServeStdioOptions, StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio'
import type { Client } from '../client/client.ts'
import { createMcpServer } from './server.ts'

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

/** Serves one host until it closes our input. Runs go on. */
export async function serveMcp({ client, version, log, signal, ...streams }: McpStdioOptions): Promise<void> {
  const { stdin = process.stdin, stdout = process.stdout } = streams
  const leave = new AbortController()
  const transport = new StdioServerTransport(stdin, stdout)
  const work = workers(client, leave.signal, log)
  const key = randomBytes(32)
  const options: ServeStdioOptions = { transport, onerror: (error) => log(error.message) }
  const handle = serveStdio(
    () => createMcpServer({ client, caller: 'host', version, key, twoWay: true, ready: (run) => work.add(run) }),
    options,
  )
  await new Promise<void>((resolve) => {
    stdin.once('end', resolve)
    stdin.once('close', resolve)
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
  await handle.close()
  leave.abort()
  await work.ended()
}

/** Where no daemon works on runs, this process does as long as it lives; where one does, this only watches. */
function workers(client: Client, signal: AbortSignal, log: (line: string) => void) {
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
    add(run: string) {
      if (!all.has(run)) all.set(run, work(run))
    },
    ended: async () => {
      await Promise.allSettled(all.values())
    },
  }
}
