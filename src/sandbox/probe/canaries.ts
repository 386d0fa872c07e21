import { randomBytes } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { createServer, type ListenOptions, type Server } from 'node:net'
import { networkInterfaces } from 'node:os'

export interface Addresses {
  tcp: { host: string; port: number }
  /** On the machine's own address in its network, where it has one. */
  udp: { host: string; port: number }
  /** A path, and a name with a leading NUL. */
  socket: string
  abstract: string
  /** This process, and the signal it waits for. */
  pid: number
  signal: NodeJS.Signals
}

export interface Canaries {
  addresses: Addresses
  /** Who has heard something. */
  reached(): Record<'tcp' | 'udp' | 'socket' | 'abstract' | 'signal', boolean>
  close(): Promise<void>
}

/** Listens wherever a program of a run must reach nobody. What cannot be listened on (a path that is too long) is never reached either. */
export async function openCanaries(socket: string, signal: NodeJS.Signals): Promise<Canaries> {
  const heard = new Set<string>()
  const abstract = `\0reeve-probe-${randomBytes(9).toString('hex')}`
  const servers = {
    tcp: await answer({ host: '127.0.0.1', port: 0 }, () => heard.add('tcp')),
    socket: await answer({ path: socket }, () => heard.add('socket')),
    abstract: await answer({ path: abstract }, () => heard.add('abstract')),
  }
  const host = ownAddress()
  const udp = createSocket('udp4', () => heard.add('udp'))
  udp.bind({ address: host, port: 0, exclusive: true })
  const bound = await cameUp(udp)
  const onSignal = () => heard.add('signal')
  process.on(signal, onSignal)
  const tcp = servers.tcp.address()

  return {
    addresses: {
      tcp: { host: '127.0.0.1', port: typeof tcp === 'object' && tcp ? tcp.port : 0 },
      udp: { host, port: bound ? udp.address().port : 0 },
      socket,
      abstract,
      pid: process.pid,
      signal,
    },
    reached: () => ({
      tcp: heard.has('tcp'),
      udp: heard.has('udp'),
      socket: heard.has('socket'),
      abstract: heard.has('abstract'),
      signal: heard.has('signal'),
    }),
    async close() {
      process.off(signal, onSignal)
      udp.close()
      await Promise.all(Object.values(servers).map((it) => new Promise<void>((resolve) => it.close(() => resolve()))))
    },
  }
}

async function answer(where: ListenOptions, reached: () => void): Promise<Server> {
  const server = createServer((client) => {
    reached()
    client.on('error', () => {}) // whoever called may be dead by now
    client.end('heard')
  })
  server.listen(where)
  await cameUp(server)
  return server
}

function cameUp(it: Server | Socket): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  it.once('listening', () => resolve(true))
  it.on('error', () => resolve(false))
  return promise
}

function ownAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((it) => it ?? [])
  return all.find((it) => it.family === 'IPv4' && !it.internal)?.address ?? '127.0.0.1'
}
