import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type ListenOptions } from 'node:net'
import { networkInterfaces } from 'node:os'
import { onTestFinished } from 'vitest'

/** Something that listens on this machine, and what it has heard. */
export interface Canary {
  port: number
  heard: string[]
}

/** A server on a TCP port, a unix socket, an abstract one (a leading NUL). Closed with the test. */
export async function listenOn(where: ListenOptions): Promise<Canary> {
  const heard: string[] = []
  const server = createServer((client) => {
    heard.push('a connection')
    client.on('error', () => {})
    client.end('canary\n')
  })
  server.listen(where)
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const address = server.address()
  return { port: typeof address === 'object' && address ? address.port : 0, heard }
}

/** Waits for datagrams. */
export async function hearDatagrams(address: string): Promise<Canary> {
  const heard: string[] = []
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4', (message) => heard.push(String(message)))
  socket.bind({ address, port: 0 })
  await once(socket, 'listening')
  onTestFinished(() => void socket.close())
  return { port: socket.address().port, heard }
}

/** This machine's addresses: loopback, and where it is reached from its network. */
export function ownAddresses(family: 'IPv4' | 'IPv6'): string[] {
  const all = Object.values(networkInterfaces()).flatMap((it) => it ?? [])
  return all.filter((it) => it.family === family && !it.address.startsWith('fe80')).map((it) => it.address)
}
