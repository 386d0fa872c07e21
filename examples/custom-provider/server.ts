/** Stands in for the gateway: answers by a function of what it is asked. Loopback only. */
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

export interface Question {
  messages: { role: string }[]
}

/** Lines that are no strings are sent as JSON. null: it says nothing. */
export type Answer = { status?: number; headers?: Record<string, string>; lines?: Iterable<unknown> } | null

export async function startGateway(answer: (asked: Question) => Answer): Promise<{ url: string; close(): void }> {
  const server = createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    request.on('end', () => {
      const given = request.method === 'GET' ? {} : answer(JSON.parse(text) as Question)
      if (given !== null) void send(response, given)
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

async function send(response: ServerResponse, { status = 200, headers = {}, lines = [] }: NonNullable<Answer>): Promise<void> {
  response.writeHead(status, headers)
  const texts = Iterator.from(lines).map((it) => (typeof it === 'string' ? it : `${JSON.stringify(it)}\n`))
  // Whoever asked may have left.
  await pipeline(Readable.from(texts), response).catch(() => undefined)
}
