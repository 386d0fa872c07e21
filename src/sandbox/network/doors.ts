import { randomUUID } from 'node:crypto'
import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { AllowedHost } from '../port.ts'
import { createProxy, type Decision, type Proxy } from './proxy.ts'
import { keyOf } from './target.ts'
import { upstreamFrom } from './upstream.ts'

/** A way out of an empty network: what a sandbox must show for it, and the words in front of the program that open it there. */
export interface Door {
  /** Path inside -> file or socket. */
  shown: ReadonlyMap<string, string>
  words: readonly string[]
}

export interface DoorsOptions {
  /** Sockets lie here: a folder that only this user may enter; made when it is missing. Keep it short: a socket's path has 103 bytes at most. */
  folder: string
  /** The user's own environment: the proxy of this machine's network is read from it. */
  env: Readonly<Record<string, string | undefined>>
  /** Called when a connection has ended. Must not throw. */
  onDecision: (decision: Decision, run: string | null) => void
}

export interface Doors {
  /** The door to exactly these hosts; the same one for the same hosts of the same run. */
  doorTo(hosts: readonly AllowedHost[], run?: string): Promise<Door>
  /** A run has ended: nobody goes through its doors any more. */
  leave(run: string): Promise<void>
  close(): Promise<void>
}

const BRIDGE = fileURLToPath(new URL('bridge.mjs', import.meta.url))
const INSIDE = { node: '/run/reeve/node', bridge: '/run/reeve/bridge.mjs', socket: '/run/reeve/net.sock' }

/** Doors to sets of hosts: a proxy outside and the bridge to it inside. Nothing listens until the first is asked for. */
export function createDoors({ folder, env, onDecision }: DoorsOptions): Doors {
  const open = new Map<string, { run: string | null; proxy: Promise<Proxy> }>()
  const upstream = upstreamFrom(env)
  const closeThose = async (which: (run: string | null) => boolean) => {
    const leaving = [...open].filter(([, it]) => which(it.run))
    for (const [key] of leaving) open.delete(key)
    await Promise.all(leaving.map(async ([, it]) => await (await it.proxy.catch(() => null))?.close()))
  }
  return {
    async doorTo(hosts, run) {
      const key = JSON.stringify([run ?? null, hosts.map((it) => `${keyOf(it)} ${it.own}`).toSorted()])
      const known = open.get(key) ?? {
        run: run ?? null,
        proxy: createProxy({
          allow: hosts,
          socketPath: join(folder, `${randomUUID().slice(0, 13)}.sock`),
          upstream,
          onDecision: (decision) => onDecision(decision, run ?? null),
        }),
      }
      open.set(key, known)
      const proxy = await known.proxy.catch((error: unknown) => {
        open.delete(key)
        throw error
      })
      return await doorOf(proxy.socketPath, hosts)
    },
    leave: (run) => closeThose((it) => it === run),
    close: () => closeThose(() => true),
  }
}

/** The door that leads to a proxy's socket. The bridge runs under reeve's own node: the project's may be old, or none. */
export async function doorOf(socketPath: string, hosts: readonly AllowedHost[]): Promise<Door> {
  // A registry on the user's own machine lies outside: there the loopback of the sandbox is not what is meant.
  const outside = hosts.some((it) => /^(?:localhost|127\.[\d.]+|::1)$/.test(it.host))
  return {
    shown: new Map([
      [INSIDE.node, await realpath(process.execPath)],
      [INSIDE.bridge, BRIDGE],
      [INSIDE.socket, socketPath],
    ]),
    words: [INSIDE.node, INSIDE.bridge, INSIDE.socket, outside ? '' : 'localhost,127.0.0.1,::1'],
  }
}
