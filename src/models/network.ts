import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import { getCACertificates } from 'node:tls'
import type { Dispatcher } from 'undici'
import { problemOf, ReeveError } from '../core/errors.ts'
import { canonicalJson } from '../core/json.ts'
import type { Settings } from '../core/settings.ts'
import { hasProxy, proxyFor } from './proxy-choice.ts'

type Env = Readonly<Record<string, string | undefined>>
export type NetworkSettings = Settings['network']

/** How Node's own fetch makes connections. */
const PLAIN: NetworkSettings = { no_proxy: [], connect_timeout_seconds: 10 }
/** Of Node's own fetch: it gives up on a server that has not begun to answer by then. */
const PLAIN_HEADERS_MS = 300_000
/** An agent's next turn often comes after its tools have run; a new connection would cost a round trip or three. */
const KEEP_ALIVE_MS = 60_000

/** Connections, by what makes them differ: each step makes its provider anew, and goes on over the same ones. */
const made = new Map<string, Promise<typeof fetch>>()

/**
 * A fetch that reaches model APIs as the settings say: through a proxy, with authorities of one's own, with a limit for connecting. Node's own
 * where nothing is configured. `firstByteMs`: how long a caller waits for an answer to begin; time-outs are the caller's. Throws
 * `invalid_config` for a proxy or a file of authorities that cannot be used.
 */
export async function fetchFor(network: NetworkSettings = PLAIN, env: Env = {}, firstByteMs = 0): Promise<typeof fetch> {
  const plain = network.ca_bundle === undefined && network.connect_timeout_seconds === PLAIN.connect_timeout_seconds
  if (plain && !hasProxy(network, env) && firstByteMs < PLAIN_HEADERS_MS) return fetch

  const proxies = Object.entries(env).filter(([name]) => /^(https?|all|no)_proxy$/i.test(name))
  const key = canonicalJson([network, proxies])
  const known = made.get(key) ?? makeFetch(network, env)
  made.set(key, known)
  // A file that is mended counts at once.
  known.catch(() => made.delete(key))
  return known
}

async function makeFetch(network: NetworkSettings, env: Env): Promise<typeof fetch> {
  const scheme = URL.parse(network.proxy ?? 'http://none')?.protocol
  if (scheme !== 'http:' && scheme !== 'https:') {
    // Without the text of the address: it may hold a password.
    throw new ReeveError('invalid_config', { where: 'network.proxy', problem: 'the address of a proxy begins with http:// or https://' })
  }
  const timeout = network.connect_timeout_seconds * 1000
  const connect = { timeout, ...(network.ca_bundle === undefined ? {} : { ca: await authorities(network.ca_bundle) }) }
  // Loaded with the first request: most providers are made only to see that they could be.
  let dispatchers: Promise<Dispatchers> | undefined
  return async (target, init) => {
    if (target instanceof Request) throw new TypeError('This fetch takes an address, not a Request.')
    dispatchers ??= openDispatchers(connect)
    const opened = await dispatchers
    const proxy = proxyFor(new URL(target), network, env)
    return opened.fetch(target, { ...init, dispatcher: proxy === null ? opened.direct : opened.behind(proxy) })
  }
}

interface Dispatchers {
  fetch(target: string | URL, init: object): Promise<Response>
  direct: Dispatcher
  behind(proxy: string): Dispatcher
}

async function openDispatchers(connect: { timeout: number; ca?: string[] }): Promise<Dispatchers> {
  const { Agent, fetch: through, ProxyAgent } = await import('undici')
  // Silence is watched by whoever reads.
  const shared = { headersTimeout: 0, bodyTimeout: 0, keepAliveTimeout: KEEP_ALIVE_MS }
  const proxied = new Map<string, Dispatcher>()
  return {
    // The package's types of fetch are its own; what we use of them is the same.
    fetch: through as unknown as Dispatchers['fetch'],
    direct: new Agent({ ...shared, connect }),
    behind(uri) {
      // Plain requests are forwarded: few proxies open a tunnel to other ports than 443.
      const known = proxied.get(uri) ?? new ProxyAgent({ ...shared, uri, requestTls: connect, proxyTls: connect, proxyTunnel: false })
      proxied.set(uri, known)
      return known
    },
  }
}

/** The usual authorities and those of the file. */
async function authorities(file: string): Promise<string[]> {
  const wrong = (problem: string) => new ReeveError('invalid_config', { where: 'network.ca_bundle', problem: `"${file}" ${problem}` })
  if (!isAbsolute(file)) throw wrong('is no absolute path')
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw wrong(`cannot be read: ${problemOf(error)}`)
  })
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? []
  if (blocks.length === 0) throw wrong('holds no certificate ("-----BEGIN CERTIFICATE-----")')
  for (const [at, block] of blocks.entries()) {
    try {
      void new X509Certificate(block)
    } catch (error) {
      throw wrong(`is broken: certificate ${at + 1} cannot be read: ${problemOf(error)}`)
    }
  }
  return [...getCACertificates('default'), ...blocks]
}
