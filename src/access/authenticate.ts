import { type Actor, localUser } from '../core/actor.ts'
import type { Clock } from '../core/clock.ts'
import { ReeveError } from '../core/errors.ts'
import { type ApiKey, USED_EVERY_MS } from '../store/keys.ts'
import { digestOf, keyIdIn, sameDigest } from './api-key.ts'
import { isLoopback } from './listening.ts'
import { createTries } from './tries.ts'

/** Where API keys are looked up; the store is one. */
export interface KnownKeys {
  findKey(id: string): Promise<{ key: ApiKey; digest: string } | null>
  keyUsed(id: string): Promise<void>
}

export interface AuthenticateOptions {
  /** Of this daemon, from its file, which only its owner can read. */
  token: string
  /** Name of that owner. */
  user: string
  keys: KnownKeys
  clock: Clock
  /** Told of each try that failed, never what was tried. */
  onRefused?: (try_: RefusedTry) => void
}

export interface RefusedTry {
  via: Via
  from: string
  /** Id of the key it claimed to be; null: none that is known. */
  key: string | null
  problem: string
}

export type Via = 'socket' | 'tcp'

/**
 * Says who sends an `Authorization` header; null: nobody that is known. `from` is the address of the peer, where it is known. What is right is let in however
 * many wrong tries there were before it, so nobody can lock the owner out; wrong ones beyond the limit of their source throw
 * `too_many_requests`.
 */
export type Authenticate = (authorization: string | null, via: Via, from?: string) => Promise<Actor | null>

const BEARER = /^Bearer ([A-Za-z0-9_-]{20,256})$/i

export function createAuthenticate({ token, user, keys, clock, onRefused }: AuthenticateOptions): Authenticate {
  const expected = digestOf(token)
  const tries = createTries(clock)

  async function actorOf(value: string, here: boolean): Promise<Actor | Pick<RefusedTry, 'key' | 'problem'>> {
    const digest = digestOf(value)
    // The token is for this machine: a copy of its file opens nothing from elsewhere.
    if (sameDigest(digest, expected)) return here ? localUser(user) : { key: null, problem: 'the token is for this machine only' }
    const id = keyIdIn(value)
    if (id === null) return { key: null, problem: 'the token is wrong' }
    const found = await keys.findKey(id)
    if (found === null || !sameDigest(digest, found.digest)) return { key: null, problem: 'the key is wrong' }
    const { key } = found
    if (key.state !== 'live') return { key: key.id, problem: `the key is ${key.state}` }
    // A store that cannot be written now is no reason to keep a caller out.
    if (clock.now() - (key.lastUsedAt ?? 0) >= USED_EVERY_MS) await keys.keyUsed(key.id).catch(() => undefined)
    return { kind: 'key', name: `key:${key.name}`, id: key.id, role: key.role, projects: key.projects }
  }

  return async (authorization, via, from = via) => {
    const here = via === 'socket' || from === via || isLoopback(from)
    // Who brings nothing has not tried.
    if (authorization === null) return null
    const value = BEARER.exec(authorization)?.[1]
    const found = value === undefined ? { key: null, problem: 'the header is not "Bearer <token>"' } : await actorOf(value, here)
    if ('kind' in found) return found
    onRefused?.({ via, from, ...found })
    const seconds = tries.failed(from)
    if (seconds === null) return null
    throw new ReeveError('too_many_requests', { problem: 'too many wrong tokens came from there', seconds })
  }
}
