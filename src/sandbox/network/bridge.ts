import { fileURLToPath } from 'node:url'
import type { AllowedHost, Service } from '../port.ts'

/** The program that joins a sandbox without network to its proxy. To be seen inside as it is, read-only, beside the socket. */
export const BRIDGE_FILE: string = fileURLToPath(new URL('bridge.mjs', import.meta.url))

/**
 * The words in front of a command that is to reach the proxy and reeve's own servers: paths as they are inside. `node` is reeve's own
 * (`process.execPath`), not the project's, which may be old. `socket`: the proxy's; null: there is none.
 */
export function bridgeWords(
  inside: { node: string; bridge: string; socket: string | null },
  hosts: readonly AllowedHost[],
  services: readonly Service[] = [],
): readonly string[] {
  const joined = services.flatMap((it) => [`${it.port}`, it.socketPath])
  return [inside.node, inside.bridge, inside.socket ?? '-', notByProxy(hosts, services), `${services.length}`, ...joined]
}

function notByProxy(hosts: readonly AllowedHost[], services: readonly Service[]): string {
  // A registry on the user's own machine lies outside: there the loopback of the sandbox is not what is meant, but for reeve's own servers.
  const outside = hosts.some((it) => /^(?:localhost|127\.[\d.]+|::1)$/.test(it.host))
  if (!outside) return 'localhost,127.0.0.1,::1'
  return services.length === 0 ? '' : '127.0.0.1'
}
