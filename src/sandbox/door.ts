import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Launch } from '../process/port.ts'
import type { BackendRequest } from './backend.ts'
import { BRIDGE_FILE, bridgeWords } from './network/bridge.ts'
import { createProxy, LONGEST_SOCKET_PATH } from './network/proxy.ts'
import { upstreamFrom } from './network/upstream.ts'
import { makeOwnFolder } from './own-folders.ts'
import type { Profile, WayOut } from './port.ts'

/** A way out of an empty network, for one program. */
export interface Door {
  /** What the sandbox must show for it: path inside -> file or socket. */
  shown: ReadonlyMap<string, string>
  /** Words in front of the program that open it there. */
  words: readonly string[]
  close(): Promise<void>
}

const INSIDE = { socket: '/run/reeve/out.sock', bridge: '/run/reeve/bridge.mjs' } as const

/** Opens a way to these hosts and services and no others. `folder`: of reeve's own. */
async function openDoor(folder: string, way: WayOut, env: BackendRequest['env']): Promise<Door> {
  const services = (way.services ?? []).map((it, at) => ({ ...it, inside: `/run/reeve/service-${at}.sock` }))
  const node = process.execPath
  const bridge: [string, string] = [INSIDE.bridge, BRIDGE_FILE]
  const shown = new Map([bridge, ...services.map((it): [string, string] => [it.inside, it.socketPath])])
  const joined = services.map((it) => ({ port: it.port, socketPath: it.inside }))
  // Who may reach reeve's own servers alone needs no proxy, and is told at once that there is no network.
  if (way.hosts.length === 0 && services.length > 0) {
    return { shown, words: bridgeWords({ node, bridge: INSIDE.bridge, socket: null }, [], joined), close: () => Promise.resolve() }
  }
  const proxy = await openProxy(folder, way, env)
  shown.set(INSIDE.socket, proxy.socketPath)
  return { shown, words: bridgeWords({ node, ...INSIDE }, way.hosts, joined), close: proxy.close }
}

async function openProxy(
  folder: string,
  way: WayOut,
  env: BackendRequest['env'],
): Promise<{ socketPath: string; close: () => Promise<void> }> {
  // The path of a socket must be short; where reeve's folder lies too deep, one for temporary files does: nobody else may enter it either.
  const isShort = Buffer.byteLength(join(folder, `out-${process.pid}-XXXXXX/s`)) <= LONGEST_SOCKET_PATH
  const own = isShort ? await makeOwnFolder(folder, 'out') : await mkdtemp(join(tmpdir(), 'reeve-out-'))
  const remove = () => rm(own, { recursive: true, force: true })
  const proxy = await createProxy({
    allow: way.hosts,
    socketPath: join(own, 's'),
    onDecision: (decision) => way.decided?.(decision),
    upstream: upstreamFrom(env),
  }).catch(async (error: unknown) => {
    await remove()
    throw error
  })
  return {
    socketPath: proxy.socketPath,
    async close() {
      await proxy.close()
      await remove()
    },
  }
}

/** Launches a program with the way out that its profile has, if any. It is closed when the program has ended, or could not be launched. */
export async function throughDoor(
  { folder, env }: Pick<BackendRequest, 'folder' | 'env'>,
  profile: Profile,
  launch: (door: Door | null) => Promise<Launch>,
): Promise<Launch> {
  if (profile.kind === 'run') return await launch(null)
  const door = await openDoor(folder, profile, env)
  try {
    const launched = await launch(door)
    return {
      ...launched,
      async end() {
        try {
          return await launched.end()
        } finally {
          await door.close()
        }
      },
    }
  } catch (error) {
    await door.close()
    throw error
  }
}
