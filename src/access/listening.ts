import { isIP } from 'node:net'
import { ReeveError } from '../core/errors.ts'

export interface Listening {
  /** Of `daemon.host`. */
  host: string
  /** Files of `daemon.tls_cert` and `daemon.tls_key`. */
  tlsCert?: string | undefined
  tlsKey?: string | undefined
  /** API keys that are neither expired nor revoked. */
  liveKeys: number
}

export interface ListenAddress {
  /** What the server listens on. */
  host: string
  /** Files of the certificate and its key; null: plain HTTP. */
  tls: { cert: string; key: string } | null
  /** Does it answer this machine only? */
  loopback: boolean
}

/**
 * Which address may be listened on, and how. Pure. Beyond this machine only with TLS and a key that somebody could use; there is no switch
 * that lifts this. Throws `unsafe_listen`.
 */
export function listenAddress({ host, tlsCert, tlsKey, liveKeys }: Listening): ListenAddress {
  const refuse = (problem: string) => new ReeveError('unsafe_listen', { host, problem })
  if (tlsCert === undefined && tlsKey !== undefined) throw refuse('daemon.tls_key is set, and daemon.tls_cert is not')
  if (tlsKey === undefined && tlsCert !== undefined) throw refuse('daemon.tls_cert is set, and daemon.tls_key is not')
  const tls = tlsCert === undefined || tlsKey === undefined ? null : { cert: tlsCert, key: tlsKey }
  // A name may be made to mean another address tomorrow.
  const address = host.toLowerCase() === 'localhost' ? '127.0.0.1' : bare(host)
  if (isLoopback(address)) return { host: address, tls, loopback: true }
  if (isIP(address) === 0) throw refuse('it is no IP address; allowed: the address of an interface of this machine, or 0.0.0.0 for all')
  if (tls === null) throw refuse('whoever is on the way could read and change everything')
  if (liveKeys === 0) throw refuse('there is no API key with which anybody could come in')
  return { host: address, tls, loopback: false }
}

/** An address that only this machine has. Not for names. */
export function isLoopback(address: string): boolean {
  if (isIP(address) === 4) return address.startsWith('127.')
  return address === '::1' || /^::ffff:127\.\d+\.\d+\.\d+$/i.test(address)
}

function bare(host: string): string {
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host
}
