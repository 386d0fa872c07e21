import { join } from 'node:path'
import { type ClientOptions, Client as McpClient, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { InMemoryTransport } from '@modelcontextprotocol/server'
import { afterAll, beforeAll, onTestFinished } from 'vitest'
import { openApp } from '../../src/app.ts'
import type { Client } from '../../src/client/client.ts'
import { localUser } from '../../src/core/actor.ts'
import { createMcpHttp } from '../../src/mcp/http.ts'
import { createMcpServer, type McpOptions } from '../../src/mcp/server.ts'
import { followAll, serveSubscriptions } from '../../src/mcp/subscriptions.ts'
import { TOY_FILES, TOYS } from './app.ts'
import { lastingFolder, writeFiles } from './folder.ts'
import { git } from './repository.ts'

/** The product that the tests of a file share, as opening one is most of what a test would take. */
export interface Shared {
  project: string
  client: Client
  /** The same data folder with more in the environment. */
  withEnv(env: Readonly<Record<string, string>>): Client
}

export function sharedProduct(): Shared {
  const shared = {} as Shared
  const opened: Client[] = []
  let remove = (): void => undefined
  beforeAll(() => {
    const made = lastingFolder('reeve-mcp-')
    remove = made.remove
    const project = join(made.folder, 'project')
    writeFiles(project, TOY_FILES)
    git(project, 'init', '-q', '-b', 'main')
    git(project, 'add', '-A')
    git(project, 'commit', '-q', '-m', 'First commit')
    const withEnv = (more: Readonly<Record<string, string>>) => {
      const own = {
        PATH: process.env['PATH'],
        HOME: made.folder,
        REEVE_HOME: join(made.folder, 'reeve'),
        REEVE_SANDBOX__MINIMUM: 'guarded',
      }
      const rest = { cwd: project, version: '1.2.3', self: [process.execPath] as [string], templates: TEMPLATES, workflows: TOYS }
      const client = openApp({ ...rest, env: { ...own, ...more } })
      opened.push(client)
      return client
    }
    Object.assign(shared, { project, client: withEnv({}), withEnv })
  })
  afterAll(async () => {
    for (const it of opened) await it.close()
    remove()
  })
  return shared
}

const TEMPLATES = join(import.meta.dirname, '../../templates')

export const KEY = Buffer.alloc(32, 7)

/** A host of before 2026-07-28, linked to a server over both ends of a pipe. */
export async function legacyHost(client: Client, options: ClientOptions = {}, more: Partial<McpOptions> = {}): Promise<McpClient> {
  const host = new McpClient({ name: 'test-host', version: '1.0.0' }, options)
  const server = createMcpServer({ client, caller: 'host', version: '1.2.3', key: KEY, twoWay: true, ...more })
  const followed = followAll(client, (uri) => void server.server.sendResourceUpdated({ uri }).catch(() => undefined))
  onTestFinished(() => followed.end())
  serveSubscriptions(server, followed)
  const [here, there] = InMemoryTransport.createLinkedPair()
  await server.connect(there)
  await host.connect(here)
  onTestFinished(() => host.close())
  return host
}

/** A host of 2026-07-28, over HTTP without a socket. */
export async function modernHost(client: Client, options: ClientOptions = {}): Promise<McpClient> {
  const answer = createMcpHttp({ gateway: { as: () => client }, version: '1.2.3', secret: 'a secret of the test' })
  const caller = { actor: localUser('ada'), cwd: null, env: null }
  const host = new McpClient({ name: 'test-host', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' }, ...options })
  const transport = new StreamableHTTPClientTransport(new URL('http://localhost/mcp'), {
    fetch: (url, init) => answer(new Request(url, init), caller),
  })
  await host.connect(transport)
  onTestFinished(() => host.close())
  return host
}

interface Answered {
  result?: unknown
  error?: unknown
}

/** A host of 2026-07-28 as bare requests, for what clients of the SDK refuse. */
export function rawHost(client: Client, capabilities: object, name = 'ada') {
  const answer = createMcpHttp({ gateway: { as: () => client }, version: '1.2.3', secret: 'a secret of the test' })
  const caller = { actor: localUser(name), cwd: null, env: null }
  return async (method: string, params: { [key: string]: unknown }): Promise<Answered> => {
    const envelope = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1.0.0' },
      'io.modelcontextprotocol/clientCapabilities': capabilities,
    }
    const named = params['name'] ?? params['taskId']
    const request = new Request('http://localhost/mcp', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': method,
        ...(typeof named === 'string' ? { 'mcp-name': named } : {}),
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: envelope } }),
    })
    return (await (await answer(request, caller)).json()) as Answered
  }
}
