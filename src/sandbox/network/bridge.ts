import { fileURLToPath } from 'node:url'
import type { AllowedHost } from '../port.ts'

/** The program that joins a sandbox without network to its proxy. To be seen inside as it is, read-only, beside the socket. */
export const BRIDGE_FILE: string = fileURLToPath(new URL('bridge.mjs', import.meta.url))

/**
 * The words in front of a command that is to reach the proxy: paths as they are inside. `node` is reeve's own (`process.execPath`), not the
 * project's, which may be old.
 */
export function bridgeWords(inside: { node: string; bridge: string; socket: string }, hosts: readonly AllowedHost[]): readonly string[] {
  // A registry on the user's own machine lies outside: there the loopback of the sandbox is not what is meant.
  const outside = hosts.some((it) => /^(?:localhost|127\.[\d.]+|::1)$/.test(it.host))
  return [inside.node, inside.bridge, inside.socket, outside ? '' : 'localhost,127.0.0.1,::1']
}
