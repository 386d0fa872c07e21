import { request as httpRequest } from 'node:http'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { keyOf, type Target } from './target.ts'

/** The proxy of this machine's network for a target, or null: reach it directly. */
export type Upstream = (target: Target, secure: boolean) => URL | null

/**
 * The user's own proxy as the environment names it: `HTTPS_PROXY` (or `HTTP_PROXY` for plain requests), else `ALL_PROXY`, unless `NO_PROXY`
 * names the host. Both cases of the names count, the lower one first, as curl has it. Kinds other than http and https are not used.
 */
export function upstreamFrom(env: Readonly<Record<string, string | undefined>>): Upstream {
  const read = (name: string) => env[name.toLowerCase()] || env[name] || ''
  const direct = read('NO_PROXY')
    .split(/[\s,]+/)
    .filter(Boolean)
  const proxies = { secure: proxyUrl(read('HTTPS_PROXY') || read('ALL_PROXY')), plain: proxyUrl(read('HTTP_PROXY') || read('ALL_PROXY')) }
  return (target, secure) => (direct.some((it) => names(it.toLowerCase(), target)) ? null : secure ? proxies.secure : proxies.plain)
}

function proxyUrl(text: string): URL | null {
  const url = URL.parse(text.includes('://') ? text : `http://${text}`)
  return text !== '' && (url?.protocol === 'http:' || url?.protocol === 'https:') ? url : null
}

/** Does an entry of `NO_PROXY` name the target? `*`, `host`, `.domain`, `*.domain`, each with or without a port. */
function names(entry: string, target: Target): boolean {
  if (entry === '*') return true
  const [, pattern = entry, port] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? []
  if (port !== undefined && Number(port) !== target.port) return false
  const domain = pattern.replace(/^\*?\./, '')
  return target.host === domain || target.host.endsWith(`.${domain}`)
}

/** Credentials of a proxy's address as a header, or nothing. They go to that proxy only. */
export function proxyAuthorization(proxy: URL): Record<string, string> {
  if (proxy.username === '') return {}
  const pair = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`
  return { 'Proxy-Authorization': `Basic ${Buffer.from(pair).toString('base64')}` }
}

/** A connection to the proxy itself. */
export function dialProxy(proxy: URL): Socket {
  const host = proxy.hostname.replace(/^\[|\]$/g, '')
  const secure = proxy.protocol === 'https:'
  const port = Number(proxy.port || (secure ? 443 : 80))
  return secure ? connectTls({ host, port, servername: host }) : connect({ host, port, allowHalfOpen: true })
}

/** A tunnel to the target through the proxy. Rejects with a short sentence, which never holds the proxy's credentials. */
export function connectThrough(proxy: URL, target: Target, signal: AbortSignal): Promise<{ socket: Socket; head: Buffer }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ socket: Socket; head: Buffer }>()
  const request = httpRequest({
    method: 'CONNECT',
    path: keyOf(target),
    headers: { Host: keyOf(target), ...proxyAuthorization(proxy) },
    createConnection: () => dialProxy(proxy),
  })
  const stop = () => request.destroy(new Error('no answer in time'))
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop, { once: true })
  request.once('error', (error: NodeJS.ErrnoException) => reject(new Error(error.code ?? error.message)))
  request.once('connect', (response, socket, head) => {
    if (response.statusCode === 200) return resolve({ socket, head })
    socket.destroy()
    reject(new Error(`it answered ${response.statusCode}`))
  })
  request.end()
  return promise.finally(() => signal.removeEventListener('abort', stop))
}
