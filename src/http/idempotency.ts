import { createHash } from 'node:crypto'
import type { OperationName, StreamName } from '../client/client.ts'
import { ReeveError } from '../core/errors.ts'

/** An answer that was given, and to which request. */
export interface KeptAnswer {
  digest: string
  status: number
  type: string
  body: string
}

/** Where answers are kept for a day; the store is one. */
export interface KeptAnswers {
  /** Null: nothing was answered, or it died before. */
  findAnswer(id: string): Promise<KeptAnswer | null>
  keepAnswer(id: string, answer: KeptAnswer): Promise<void>
}

/** Answers to requests with an `Idempotency-Key`, once each. */
export interface Keys {
  once(request: Keyed, answer: () => Promise<Response>): Promise<Response>
}

export interface Keyed {
  key: string
  actor: string
  /** Name of the operation, or the route of an older system. */
  name: string
  input: unknown
}

/** What keys may be: enough for every kind of id. */
const KEY = /^[\x21-\x7e]{1,200}$/

export function idempotencyKey(headers: Headers): string | null {
  const key = headers.get('idempotency-key')
  if (key === null || KEY.test(key)) return key
  throw new ReeveError('invalid_input', { problem: 'Idempotency-Key must be 1 to 200 characters of ASCII without blanks' })
}

/** The key as one of this caller's: others may use the same by chance, and must not see what was answered. */
function ownKey(actor: string, key: string): string {
  return createHash('sha256').update(`${actor}\n${key}`).digest('base64url')
}

/** The run itself keeps the key of its submission, so a daemon that dies before it has answered makes no second one. */
export function withKey(name: OperationName | StreamName, input: object, actor: string, key: string): object {
  return name === 'runs.submit' ? { key: ownKey(actor, key), ...input } : input
}

/** Same key, same request: the same answer. Those that come while it is at work wait for it. */
export function createKeys(answers: KeptAnswers): Keys {
  const atWork = new Map<string, { digest: string; done: Promise<KeptAnswer | null> }>()

  return {
    async once({ key, actor, name, input }, answer) {
      const id = ownKey(actor, key)
      const digest = createHash('sha256')
        .update(JSON.stringify([name, input]))
        .digest('base64url')
      for (let other = atWork.get(id); other !== undefined; other = atWork.get(id)) {
        if (other.digest !== digest) throw new ReeveError('idempotency_mismatch', { key })
        const kept = await other.done
        if (kept !== null) return again(kept)
      }
      const { promise: done, resolve } = Promise.withResolvers<KeptAnswer | null>()
      atWork.set(id, { digest, done })
      let kept: KeptAnswer | null = null
      try {
        const before = await answers.findAnswer(id)
        if (before !== null && before.digest !== digest) throw new ReeveError('idempotency_mismatch', { key })
        if (before !== null) return again((kept = before))
        const response = await answer()
        kept = { digest, status: response.status, type: response.headers.get('content-type') ?? '', body: await response.text() }
        await answers.keepAnswer(id, kept)
        return answerOf(kept)
      } finally {
        atWork.delete(id)
        resolve(kept)
      }
    },
  }
}

function answerOf({ status, type, body }: KeptAnswer, headers: Record<string, string> = {}): Response {
  return new Response(body, { status, headers: { 'content-type': type, ...headers } })
}

function again(kept: KeptAnswer): Response {
  return answerOf(kept, { 'idempotency-replayed': 'true' })
}
