/**
 * The client for programs: `import { connectReeve } from 'reeve/client'`. Every operation by its name, with the types of its input and its
 * answer; nothing of what does them is loaded.
 */
import { type Client, createClient } from './client/client.ts'
import type { Remote } from './client/line.ts'
import { remoteTransport } from './client/remote.ts'
import { reeveFolders } from './config/home.ts'
import { ReeveError } from './core/errors.ts'
import { readPlace } from './daemon/place.ts'

export type { Client, EventOf, InputOf, OperationName, OutputOf, StreamName } from './client/client.ts'
export { type ErrorCode, ReeveError } from './core/errors.ts'

/** A daemon anywhere, by its address and an API key. */
export interface RemoteAddress {
  /** Such as `http://127.0.0.1:7433`. */
  url: string
  token: string
}

/** The daemon of this user on this machine, by the file that it leaves in the state folder. It must run: `reeve serve`. */
export interface LocalAddress {
  /** The state folder; that of `REEVE_HOME` and the XDG variables when absent. */
  folder?: string
  /** Where relative paths begin, and the environment that runs are worked on with, where their keys are; those of this process when absent. */
  cwd?: string
  env?: Readonly<Record<string, string | undefined>>
}

/**
 * A client of a daemon. Calls reject with the `ReeveError` that the daemon threw; streams that are cut are opened again behind the last event
 * that came. Connects with the first call; `close()` lets go of the connection.
 */
export function connectReeve(options: RemoteAddress | LocalAddress = {}): Client {
  if ('url' in options) {
    const { url, token } = options
    if (!URL.canParse(url) || !/^https?:/.test(url)) throw new ReeveError('invalid_input', { problem: `url: "${url}" is no http address` })
    return createClient(remoteTransport({ find: async () => ({ at: { url }, token }) }))
  }
  const { env = process.env, cwd = process.cwd() } = options
  const folder = options.folder ?? reeveFolders(env).state
  return createClient(remoteTransport({ find: () => localDaemon(folder), place: { cwd, env } }))
}

async function localDaemon(folder: string): Promise<Remote> {
  const place = await readPlace(folder)
  if (place === null) throw new ReeveError('daemon_not_running', { path: folder })
  return { at: { socket: place.socket }, token: place.token }
}
