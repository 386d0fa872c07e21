import { homedir } from 'node:os'
import type { AppOptions } from './app.ts'
import { type Client, createClient } from './client/client.ts'
import type { DaemonControl } from './client/daemon.ts'
import { remoteTransport } from './client/remote.ts'
import { ROUTES } from './client/routes.ts'
import { reeveFolders } from './config/home.ts'

export interface ConnectOptions extends AppOptions {
  /** Where relative paths begin. */
  cwd: string
  /** Says something to the person at the terminal. */
  remark: (line: string) => void
}

/** The daemon of this data folder, for the commands that are about it. */
export async function daemonControl(options: Omit<ConnectOptions, 'cwd'>): Promise<DaemonControl> {
  const { env, version, self, remark } = options
  const [{ createDaemonControl }, { daemonLog }] = await Promise.all([import('./daemon/steer.ts'), import('./daemon/place.ts')])
  const { state } = reeveFolders(env, homedir())
  return createDaemonControl({ folder: state, env, version, self, remark, log: daemonLog(state) })
}

/**
 * The product for a command: operations that need nothing of the daemon's are done in this process, all others by the daemon, which is started
 * where there is none. Loads next to nothing: most commands do no more than ask.
 */
export function connect(options: ConnectOptions): Client {
  const { env, version, self, remark, cwd } = options
  const { state } = reeveFolders(env, homedir())
  let opened: Promise<Client> | null = null
  const here = () => (opened ??= import('./app.ts').then(({ openApp }) => openApp(options)))
  const daemon = remoteTransport({
    // Also where one was killed in the middle: the next one takes its runs over.
    async find() {
      const { findDaemon } = await import('./daemon/find.ts')
      const { socket, token } = await findDaemon({ folder: state, env, version, self, remark })
      return { at: { socket }, token }
    },
    place: { cwd, env },
  })
  return createClient({
    async invoke(name, input, signal) {
      if (ROUTES[name].place === 'daemon') return daemon.invoke(name, input, signal)
      return (await here()).call(name, input as never, signal)
    },
    async *open(name, input, signal) {
      yield* ROUTES[name].place === 'daemon' ? daemon.open(name, input, signal) : (await here()).stream(name, input as never, signal)
    },
    async close() {
      await daemon.close()
      await (await opened)?.close()
    },
  })
}
