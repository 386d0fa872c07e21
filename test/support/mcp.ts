import { type ClientOptions, Client as McpClient, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { InMemoryTransport } from '@modelcontextprotocol/server'
import { onTestFinished } from 'vitest'
import type { Client } from '../../src/client/client.ts'
import { localUser } from '../../src/core/actor.ts'
import { createMcpHttp } from '../../src/mcp/http.ts'
import { createMcpServer, type McpOptions } from '../../src/mcp/server.ts'

export const KEY = Buffer.alloc(32, 7)

/** A host of before 2026-07-28, linked to a server over both ends of a pipe. */
export async function legacyHost(client: Client, options: ClientOptions = {}, more: Partial<McpOptions> = {}): Promise<McpClient> {
  const host = new McpClient({ name: 'test-host', version: '1.0.0' }, options)
  const server = createMcpServer({ client, caller: 'host', version: '1.2.3', key: KEY, twoWay: true, ...more })
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
