import type { Clock } from '../../core/clock.ts'
import { problemOf } from '../../core/errors.ts'
import type { Settings } from '../../core/settings.ts'
import { retryAfterMs } from '../../models/retry-after.ts'
import { sign } from './sign.ts'

export type WebhookSettings = Settings['webhooks'][string]

/** How one try ended. */
export interface Sent {
  /** Status of the answer; null: none came. */
  answer: number | null
  /** Null: it was taken. */
  problem: string | null
  /** How long the receiver wants to be left alone. */
  retryAfterMs: number | null
}

export interface Sender {
  fetch: typeof fetch
  clock: Pick<Clock, 'now'>
  version: string
}

export interface Message {
  id: string
  body: string
  /** Null: it is not signed. */
  secret: string | null
}

/**
 * Posts a message once. Only to the address of the settings: an answer that leads elsewhere counts as a failure. Never throws, but for an
 * abort of `signal`.
 */
export async function send(
  settings: WebhookSettings,
  message: Message,
  { fetch, clock, version }: Sender,
  signal: AbortSignal,
): Promise<Sent> {
  const timeout = AbortSignal.timeout(settings.timeout_seconds * 1000)
  try {
    const response = await fetch(settings.url, {
      method: 'POST',
      body: message.body,
      headers: {
        'content-type': 'application/json',
        'user-agent': `reeve/${version}`,
        ...sign(message.id, message.body, { secret: message.secret, now: clock.now() }),
      },
      redirect: 'manual',
      signal: AbortSignal.any([signal, timeout]),
    })
    // What it says is of no interest, and may be long.
    await response.body?.cancel().catch(() => undefined)
    if (response.ok) return { answer: response.status, problem: null, retryAfterMs: null }
    const wait = retryAfterMs({ 'retry-after': response.headers.get('retry-after') ?? '' }, clock.now())
    return { answer: response.status, problem: problemWith(response), retryAfterMs: wait }
  } catch (error) {
    signal.throwIfAborted()
    const problem = timeout.aborted ? `no answer within ${settings.timeout_seconds} s` : reasonOf(error)
    return { answer: null, problem, retryAfterMs: null }
  }
}

function problemWith(response: Response): string {
  if (response.status >= 300 && response.status < 400) return `it answered ${response.status}; redirects are not followed`
  return `it answered ${response.status}`
}

/** `fetch failed` says nothing; what it was is the cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  return problemOf(cause ?? error)
}
