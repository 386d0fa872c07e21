import { ReeveError } from '../core/errors.ts'

export type Via = 'socket' | 'tcp'

/** What a caller may say in `Host`; over the socket there is one name for it. */
const SOCKET_HOSTS = ['localhost'] as const

/** The `Host`s of a server: loopback names with its port, what it listens on, and the names of `daemon.hosts` with and without the port. */
export function hostNames({ host, port, hosts }: { host: string; port: number; hosts: readonly string[] }): string[] {
  const own = isEverywhere(host) ? [] : [host.includes(':') ? `[${host}]` : host]
  const named = hosts.flatMap((it) => (/:\d+$/.test(it) ? [it] : [it, `${it}:${port}`]))
  return [...['127.0.0.1', 'localhost', '[::1]', ...own].map((it) => `${it}:${port}`), ...named].map((it) => it.toLowerCase())
}

function isEverywhere(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}

/**
 * Refuses what a page in somebody's browser could send, before anything else is read. Throws `misdirected`, `refused_request`.
 * A name that an attacker has pointed at this machine comes with its own `Host`; a page of another site has its `Origin`, or says
 * `Sec-Fetch-Site: cross-site`.
 */
export function guard(headers: Headers, via: Via, hosts: readonly string[]): void {
  const host = headers.get('host')?.toLowerCase() ?? ''
  if (!(via === 'socket' ? SOCKET_HOSTS : hosts).includes(host)) {
    throw new ReeveError('misdirected', { problem: host === '' ? 'it names no host' : `"${short(host)}" is not a name of it` })
  }
  const origin = headers.get('origin')
  if (origin !== null && origin.toLowerCase() !== `http://${host}` && origin.toLowerCase() !== `https://${host}`) {
    throw new ReeveError('refused_request', { problem: `it comes from a page of ${origin === 'null' ? 'nowhere' : `"${short(origin)}"`}` })
  }
  const site = headers.get('sec-fetch-site')
  if (site !== null && site !== 'same-origin' && site !== 'none') {
    throw new ReeveError('refused_request', { problem: 'a page of another site has made it' })
  }
}

// oxlint-disable-next-line no-control-regex -- they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/

/** The path of an address, when every part of it can be read and holds no control character. Throws `invalid_input`. */
export function guardAddress(url: string): string {
  const { pathname, search } = new URL(url)
  for (const [what, text] of [
    ['path', pathname],
    ['query', search.replaceAll('+', ' ')],
  ] as const) {
    if (CONTROL.test(decoded(text, what))) throw new ReeveError('invalid_input', { problem: `the ${what} has a control character` })
  }
  return pathname
}

function decoded(text: string, what: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new ReeveError('invalid_input', { problem: `the ${what} is not percent-encoded UTF-8` })
  }
}

function short(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text
}
