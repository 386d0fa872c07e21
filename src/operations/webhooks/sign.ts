import { createHmac } from 'node:crypto'

/** What a receiver checks, by the scheme of Standard Webhooks (standardwebhooks.com): one key, one version. */
export interface Signed {
  'webhook-id': string
  /** Seconds since 1970, of this try. */
  'webhook-timestamp': string
  'webhook-signature'?: string
}

/**
 * The headers of a message. `secret` null: it is not signed. A secret that begins with `whsec_` is base64, as the scheme writes it; any other
 * is taken as it is.
 */
export function sign(id: string, body: string, { secret, now }: { secret: string | null; now: number }): Signed {
  const timestamp = String(Math.floor(now / 1000))
  const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp }
  if (secret === null) return headers
  const signature = createHmac('sha256', keyOf(secret)).update(`${id}.${timestamp}.${body}`).digest('base64')
  return { ...headers, 'webhook-signature': `v1,${signature}` }
}

function keyOf(secret: string): Buffer {
  return secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : Buffer.from(secret)
}
