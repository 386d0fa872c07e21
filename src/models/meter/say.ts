import type { ServerResponse } from 'node:http'
import type { Json } from '../../core/json.ts'
import type { MeterDialect } from './port.ts'

export interface Said {
  status: number
  message: string
  retryAfterMs?: number | null
  /** Trying again does not help. */
  final?: boolean
}

/** Answers in the words of a dialect, so that the program shows what is the matter. */
export function say(response: ServerResponse, dialect: MeterDialect | null, { status, message, retryAfterMs, final }: Said): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  response.writeHead(status, {
    'content-type': 'application/json',
    ...(retryAfterMs === null || retryAfterMs === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) }),
    // What the makers' own clients look at before they try again.
    ...(final === true ? { 'x-should-retry': 'false' } : {}),
  })
  response.end(JSON.stringify(bodyOf(dialect, status, message)))
}

const ANTHROPIC: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  402: 'billing_error',
  404: 'not_found_error',
  429: 'rate_limit_error',
}
const OPENAI: Readonly<Record<number, string>> = { 401: 'invalid_api_key', 402: 'insufficient_quota', 429: 'rate_limit_exceeded' }
const GOOGLE: Readonly<Record<number, string>> = {
  401: 'UNAUTHENTICATED',
  402: 'RESOURCE_EXHAUSTED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
}

function bodyOf(dialect: MeterDialect | null, status: number, message: string): Json {
  if (dialect === 'anthropic') return { type: 'error', error: { type: ANTHROPIC[status] ?? 'api_error', message } }
  if (dialect === 'google') return { error: { code: status, message, status: GOOGLE[status] ?? 'UNAVAILABLE', details: [] } }
  const code = OPENAI[status] ?? null
  return { error: { message, type: code ?? 'server_error', code, param: null } }
}
