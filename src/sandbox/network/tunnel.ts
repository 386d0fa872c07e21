import type { Socket } from 'node:net'

export interface Bytes {
  /** By the program inside. */
  sent: number
  received: number
}

/**
 * Joins two connections until both are closed. Either may end its side first; one that closes or breaks lets the other send what is still
 * on its way. Silence on both for `idleMs` ends both. Resolves to the bytes that went each way; never rejects.
 */
export function join(client: Socket, server: Socket, heads: { client: Buffer; server: Buffer }, idleMs: number): Promise<Bytes> {
  const { promise, resolve } = Promise.withResolvers<Bytes>()
  const bytes = { sent: heads.client.length, received: heads.server.length }
  const idle = setTimeout(() => {
    client.destroy()
    server.destroy()
  }, idleMs)
  const count = (way: keyof Bytes) => (chunk: Buffer) => {
    bytes[way] += chunk.length
    idle.refresh()
  }
  client.on('data', count('sent'))
  server.on('data', count('received'))
  const pair = [client, server] as const
  for (const [one, other] of [pair, pair.toReversed()] as (readonly [Socket, Socket])[]) {
    one.on('error', () => {})
    one.once('close', () => {
      other.destroySoon()
      if (client.closed && server.closed) resolve(bytes)
    })
  }
  if (heads.client.length > 0) server.write(heads.client)
  if (heads.server.length > 0) client.write(heads.server)
  client.pipe(server).pipe(client)
  if (client.closed || server.closed) for (const one of pair) one.destroy() // it broke while the other one was being made
  if (client.closed && server.closed) resolve(bytes)
  return promise.finally(() => clearTimeout(idle))
}
