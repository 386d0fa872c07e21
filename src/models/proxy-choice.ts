import type { Settings } from '../core/settings.ts'

type Env = Readonly<Record<string, string | undefined>>

/**
 * The proxy for an address, or null: none. The configured one, else that of the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, both
 * cases, the lower one first, as curl has it). Never for this machine itself, nor for what `no_proxy` or `NO_PROXY` names.
 * Those of the environment that are neither http nor https are not used.
 */
export function proxyFor(address: URL, network: Pick<Settings['network'], 'proxy' | 'no_proxy'>, env: Env): string | null {
  const host = address.hostname.toLowerCase().replace(/^\[|\]$/g, '')
  if (isLoopback(host)) return null
  const port = address.port || (address.protocol === 'https:' ? '443' : '80')
  const direct = [...network.no_proxy, ...read(env, 'NO_PROXY').split(/[\s,]+/)].filter((it) => it !== '')
  if (direct.some((it) => names(it.toLowerCase(), host, port))) return null
  if (network.proxy !== undefined) return network.proxy
  const named = read(env, address.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY') || read(env, 'ALL_PROXY')
  const proxy = named.includes('://') ? named : `http://${named}`
  return named !== '' && /^https?:$/.test(URL.parse(proxy)?.protocol ?? '') ? proxy : null
}

/** Is there any proxy at all? */
export function hasProxy(network: Pick<Settings['network'], 'proxy'>, env: Env): boolean {
  return network.proxy !== undefined || ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY'].some((it) => read(env, it) !== '')
}

function read(env: Env, name: string): string {
  return env[name.toLowerCase()] || env[name] || ''
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '::1' || /^127(\.\d+){3}$/.test(host)
}

/** Does an entry name the host? `*`, `host`, `.domain`, `*.domain`, each with or without a port. */
function names(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true
  const [, pattern = entry, wanted] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? []
  if (wanted !== undefined && wanted !== port) return false
  const domain = pattern.replace(/^\*?\./, '')
  return host === domain || host.endsWith(`.${domain}`)
}
