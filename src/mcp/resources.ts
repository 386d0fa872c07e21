import { type McpServer, ResourceNotFoundError, ResourceTemplate } from '@modelcontextprotocol/server'
import type { Client } from '../client/client.ts'
import { ReeveError } from '../core/errors.ts'
import { forModel } from '../core/hostile-text.ts'
import { harmless } from './answer.ts'
import { logLine } from './event-line.ts'
import { reportOf } from './report.ts'

/** A part of a run that can be read. */
interface Part {
  name: string
  title: string
  mimeType: string
  read(client: Client, run: string, signal: AbortSignal): Promise<string>
}

/** Suffix of the address -> part. */
const PARTS: Readonly<Record<string, Part>> = {
  '': {
    name: 'run',
    title: 'A run: state, steps, verdict, cost',
    mimeType: 'application/json',
    read: async (client, run, signal) => JSON.stringify(harmless(await client.call('runs.get', { run }, signal))),
  },
  '/log': {
    name: 'run-log',
    title: 'The log of a run',
    mimeType: 'text/plain',
    async read(client, run, signal) {
      const lines: string[] = []
      for await (const event of client.stream('runs.events', { run }, signal)) {
        lines.push(logLine(event))
        // Those before the end are let go of on the way, some at a time.
        if (lines.length === 2 * MAX_LINES) lines.splice(0, MAX_LINES)
      }
      return `${lines.slice(-MAX_LINES).join('\n')}\n`
    },
  },
  '/diff': {
    name: 'run-diff',
    title: 'What a run has changed',
    mimeType: 'text/x-diff',
    read: async (client, run, signal) => forModel((await client.call('runs.diff', { run }, signal)).patch),
  },
  '/report': {
    name: 'run-report',
    title: 'What came of a run',
    mimeType: 'text/markdown',
    read: async (client, run, signal) => reportOf(await client.call('runs.get', { run }, signal)),
  },
}

// The end of a long log says how it is; all of it comes with ai_coder_logs.
const MAX_LINES = 5000
const LISTED = 20

export function addResources(server: McpServer, client: Client): void {
  for (const [suffix, part] of Object.entries(PARTS)) {
    const list =
      suffix === ''
        ? async () => {
            const { runs } = await client.call('runs.list', { all: true, limit: LISTED })
            return {
              resources: runs.map(({ id, task }) => ({
                uri: `reeve://runs/${id}`,
                name: id,
                title: String(harmless(task.title)),
                mimeType: part.mimeType,
              })),
            }
          }
        : undefined
    server.registerResource(
      part.name,
      new ResourceTemplate(`reeve://runs/{id}${suffix}`, { list }),
      { title: part.title, mimeType: part.mimeType, cacheHint: { ttlMs: 0, cacheScope: 'private' } },
      async (uri, variables, ctx) => {
        const run = String(variables['id'])
        try {
          return { contents: [{ uri: uri.href, mimeType: part.mimeType, text: await part.read(client, run, ctx.mcpReq.signal) }] }
        } catch (error) {
          throw error instanceof ReeveError && error.code === 'run_not_found' ? new ResourceNotFoundError(uri.href) : error
        }
      },
    )
  }
}
