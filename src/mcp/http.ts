import { createHmac } from 'node:crypto'
import { createMcpHandler } from '@modelcontextprotocol/server'
import type { Gateway } from '../client/client.ts'
import type { Caller } from '../operations/context.ts'
import { createMcpServer, type Extend } from './server.ts'
import { addressesIn, busOf } from './subscriptions.ts'

export interface McpHttpOptions {
  gateway: Gateway
  version: string
  /** What callers hold for us is signed by a key made of it: the same one later, and they may go on. */
  secret: string
  /** What is served besides; tests have something. */
  extend?: Extend
  /** What went wrong outside of an answer. */
  log?: (message: string) => void
}

export type McpHttp = (request: Request, caller: Caller) => Promise<Response>

/**
 * Answers requests to `/mcp`, in both eras of the protocol. Whoever calls this has checked Host, Origin and the caller: nothing of that is
 * done here. Nothing is kept between requests.
 */
export function createMcpHttp({ gateway, version, secret, extend, log = () => undefined }: McpHttpOptions): McpHttp {
  const key = createHmac('sha256', secret).update('mcp').digest()
  return async (request, caller) => {
    const client = gateway.as(caller)
    const uris = request.headers.get('mcp-method') === 'subscriptions/listen' ? addressesIn(await bodyOf(request)) : []
    const handler = createMcpHandler(
      ({ era }) =>
        createMcpServer({
          client,
          caller: `${caller.actor.kind}:${caller.actor.name}`,
          version,
          key,
          twoWay: era === 'modern',
          ...(extend === undefined ? {} : { extend }),
        }),
      { bus: busOf(client, uris), onerror: (error) => log(error.message) },
    )
    return handler.fetch(request)
  }
}

/** What is no JSON is the handler's to refuse. */
function bodyOf(request: Request): Promise<unknown> {
  return request
    .clone()
    .json()
    .catch(() => null)
}
