import { lookup as dnsLookup } from 'node:dns/promises'
import { connect, isIP, type Socket } from 'node:net'
import { problemOf } from '../../core/errors.ts'
import type { AllowedHost } from '../port.ts'
import { type Reach, reachOf } from './addresses.ts'
import type { Reason } from './reasons.ts'
import type { Target } from './target.ts'
import { connectThrough, dialProxy, type Upstream } from './upstream.ts'

/** All addresses of a name. Rejects when there are none. */
export type Lookup = (host: string) => Promise<readonly string[]>
/** A connection that is under way; to an address, never a name. */
export type Dial = (address: string, port: number) => Socket

export const systemLookup: Lookup = async (host) => (await dnsLookup(host, { all: true })).map((it) => it.address)
export const systemDial: Dial = (host, port) => connect({ host, port, allowHalfOpen: true })

export interface Ways {
  lookup: Lookup
  dial: Dial
  upstream: Upstream
  connectMs: number
  /** The proxy is being closed. */
  closing: AbortSignal
}

/** The way to a host that was found open. `address` is what was connected to. */
export interface Way {
  socket: Socket
  head: Buffer
  address: string
  /** The proxy it goes through: plain requests are sent in its form. */
  proxy: URL | null
}
export interface NoWay {
  reason: Reason
  detail: string
}

// A name with more addresses has them for other reasons than that the first ones are down.
const ADDRESSES_TRIED = 4

/**
 * Resolves a name once, checks every address it has and connects to one of those that were checked: a name that changes in between changes
 * nothing. Behind a proxy of the network the name may be unknown here; then that proxy resolves it.
 */
export async function openWay(entry: AllowedHost, ways: Ways, kind: 'tunnel' | 'plain'): Promise<Way | NoWay> {
  const proxy = ways.upstream(entry, kind === 'tunnel')
  const signal = AbortSignal.any([ways.closing, AbortSignal.timeout(ways.connectMs)])
  const addresses = await resolve(entry.host, ways.lookup, signal)
  if (addresses.length === 0 && proxy === null) return { reason: 'dns', detail: '' }
  const bad = addresses.find((it) => !mayReach(entry, reachOf(it)))
  if (bad !== undefined) return { reason: 'private-address', detail: bad }
  if (proxy !== null) return await throughProxy(proxy, entry, kind, signal)

  let detail = ''
  for (const address of addresses.slice(0, ADDRESSES_TRIED)) {
    try {
      return { socket: await connected(ways.dial(address, entry.port), signal), head: Buffer.alloc(0), address, proxy: null }
    } catch (error) {
      detail = (error as NodeJS.ErrnoException).code ?? problemOf(error)
    }
  }
  return { reason: 'unreachable', detail }
}

function mayReach(entry: AllowedHost, reach: Reach): boolean {
  return reach === 'public' || (reach === 'private' && entry.own)
}

async function resolve(host: string, lookup: Lookup, signal: AbortSignal): Promise<readonly string[]> {
  if (isIP(host)) return [host]
  try {
    return await Promise.race([lookup(host), aborted(signal)])
  } catch {
    return [] // no address: the caller says so
  }
}

async function throughProxy(proxy: URL, target: Target, kind: 'tunnel' | 'plain', signal: AbortSignal): Promise<Way | NoWay> {
  const address = `proxy ${proxy.host}`
  try {
    if (kind === 'plain') return { socket: await connected(dialProxy(proxy), signal), head: Buffer.alloc(0), address, proxy }
    return { ...(await connectThrough(proxy, target, signal)), address, proxy }
  } catch (error) {
    return { reason: 'upstream-proxy', detail: problemOf(error) }
  }
}

function connected(socket: Socket, signal: AbortSignal): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const stop = () => socket.destroy(new Error('no answer in time'))
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop, { once: true })
  socket.once('error', reject)
  socket.once('connect', () => {
    socket.off('error', reject)
    resolve(socket)
  })
  return promise.finally(() => signal.removeEventListener('abort', stop))
}

function aborted(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>()
  if (signal.aborted) reject(new Error('no answer in time'))
  signal.addEventListener('abort', () => reject(new Error('no answer in time')), { once: true })
  return promise
}
