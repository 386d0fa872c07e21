import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { Redact } from '../../core/redact.ts'

/** Where programs put their key. */
const PLACES = ['x-api-key', 'authorization', 'x-goog-api-key', 'api-key'] as const
type Place = (typeof PLACES)[number]

/** Where the token stands, null when it is not there. In the address: the provider gets its key in a header all the same. */
export function placeOfToken(headers: IncomingHttpHeaders, search: URLSearchParams, token: string): Place | null {
  for (const place of PLACES) {
    const value = headers[place]
    if (typeof value === 'string' && isSame(value.replace(/^Bearer /i, ''), token)) return place
  }
  return isSame(search.get('key') ?? '', token) ? 'x-goog-api-key' : null
}

/** In the same time, however much of it is right. */
function isSame(given: string, token: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(given), hash(token))
}

/** Of one connection, or of the program's own. */
const DROPPED = new Set<string>([
  ...PLACES,
  'host',
  'connection',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
  'accept-encoding',
  'cookie',
])

/** The headers of a request as the provider gets them. */
export function headersOut(
  headers: IncomingHttpHeaders,
  place: Place,
  { key, more }: { key: string | null; more: Readonly<Record<string, string>> },
): Record<string, string> {
  const kept = Object.entries(headers).flatMap(([name, value]) =>
    DROPPED.has(name) || value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value] as const],
  )
  const credential = key === null ? {} : { [place]: place === 'authorization' ? `Bearer ${key}` : key }
  // Usage is read from what passes.
  return { ...Object.fromEntries(kept), 'accept-encoding': 'identity', ...lower(more), ...credential }
}

/** `content-length` and `content-encoding` are of the bytes that came, which may have been unpacked. */
const NOT_BACK = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'content-encoding',
  'set-cookie',
  'upgrade',
  'trailer',
])

/** The headers of an answer as the program gets them. */
export function headersBack(headers: Headers, redact: Redact): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => !NOT_BACK.has(name)).map(([name, value]) => [name, redact(value)]))
}

/** As the program's own are, so that they replace those. */
function lower(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}
