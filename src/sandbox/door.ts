import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { BRIDGE_FILE, bridgeWords } from './network/bridge.ts'
import { createProxy } from './network/proxy.ts'
import { upstreamFrom } from './network/upstream.ts'
import type { WayOut } from './port.ts'

/** A way out of an empty network, for one program. */
export interface Door {
  /** What the sandbox must show for it: path inside -> file or socket. */
  shown: ReadonlyMap<string, string>
  /** Words in front of the program that open it there. */
  words: readonly string[]
  close(): Promise<void>
}

const INSIDE = { socket: '/run/reeve/out.sock', bridge: '/run/reeve/bridge.mjs' } as const

/** Opens a way to these hosts and no others. `folder`: of reeve's own; its path must be short, as that of a socket is. */
export async function openDoor(folder: string, way: WayOut, env: Readonly<Record<string, string | undefined>>): Promise<Door> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const own = await mkdtemp(join(folder, 'out-'))
  const proxy = await createProxy({
    allow: way.hosts,
    socketPath: join(own, 's'),
    onDecision: (decision) => way.decided?.(decision),
    upstream: upstreamFrom(env),
  })
  return {
    shown: new Map([
      [INSIDE.socket, proxy.socketPath],
      [INSIDE.bridge, BRIDGE_FILE],
    ]),
    words: bridgeWords({ node: process.execPath, ...INSIDE }, way.hosts),
    async close() {
      await proxy.close()
      await rm(own, { recursive: true, force: true })
    },
  }
}
