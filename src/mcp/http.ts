import { randomBytes } from 'node:crypto'
import { createMcpHandler } from '@modelcontextprotocol/server'
import type { Gateway } from '../client/client.ts'
import type { Caller } from '../operations/context.ts'
import { createMcpServer } from './server.ts'
import type { Tool } from './tool.ts'

export interface McpHttpOptions {
  gateway: Gateway
  version: string
  /** Signs what callers hold for us, 32 bytes at least. Absent: a fresh one; what was handed out before is worth nothing then. */
  key?: Uint8Array
  /** Besides the product's own; tests have some. */
  tools?: readonly Tool[]
  /** What went wrong outside of an answer. */
  log?: (message: string) => void
}

export type McpHttp = (request: Request, caller: Caller) => Promise<Response>

/**
 * Answers requests to `/mcp`, in both eras of the protocol. Whoever calls this has checked Host, Origin and the caller: nothing of that is
 * done here. Nothing is kept between requests.
 */
export function createMcpHttp({ gateway, version, key = randomBytes(32), tools = [], log = () => undefined }: McpHttpOptions): McpHttp {
  return async (request, caller) => {
    const client = gateway.as(caller)
    const handler = createMcpHandler(
      () => createMcpServer({ client, caller: `${caller.actor.kind}:${caller.actor.name}`, version, key, twoWay: false, tools }),
      { onerror: (error) => log(error.message) },
    )
    return handler.fetch(request)
  }
}
