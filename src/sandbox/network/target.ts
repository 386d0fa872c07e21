import type { AllowedHost } from '../port.ts'

export interface Target {
  host: string
  port: number
}

// Letters, digits, hyphens; at least one dot; alphabetic top level: no NUL, no user part, no address, no dot at the end.
const HOST = /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/
// Of the user's own configuration: also one word, and addresses.
const OWN_HOST = /^(?:[a-z0-9](?:[a-z0-9_.-]{0,251}[a-z0-9])?|[0-9a-f:.]*:[0-9a-f:.]*)$/
const AUTHORITY = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/

/** The key of an allow-list: exact, lower case. */
export function keyOf({ host, port }: Target): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`.toLowerCase()
}

/** The target of a request as `host:port` asks for it, or why there is none. Nothing is decoded: what is not plain is refused. */
export function readTarget(authority: string): Target | 'malformed' {
  const match = AUTHORITY.exec(authority)
  const port = Number(match?.[3])
  if (!match || port < 1 || port > 65_535) return 'malformed'
  return { host: (match[1] ?? match[2] ?? '').toLowerCase(), port }
}

/** May this target be reached? The entry of the allow-list, or why not. */
export function permitted(allow: ReadonlyMap<string, AllowedHost>, target: Target): AllowedHost | 'bad-hostname' | 'not-allowed' {
  const entry = allow.get(keyOf(target))
  if (entry?.own && OWN_HOST.test(target.host)) return entry
  if (!HOST.test(target.host)) return 'bad-hostname'
  return entry ?? 'not-allowed'
}

/** Is this a host name as the public network has them? Addresses and single words are not. */
export function isPublicName(host: string): boolean {
  return HOST.test(host)
}

/** `name` or `name:port` of a setting (443 without a port), or null when it is neither. */
export function parseHost(text: string, own: boolean): AllowedHost | null {
  const target = readTarget(/:\d+$/.test(text) && !/^[0-9a-f:]+$/i.test(text) ? text : `${text}:443`)
  if (target === 'malformed' || !(own ? OWN_HOST : HOST).test(target.host)) return null
  return { ...target, own }
}
