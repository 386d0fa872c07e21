import { randomUUID } from 'node:crypto'
import { isAbsolute } from 'node:path'
import { z } from 'zod'
import type { Env } from '../config/home.ts'
import { ReeveError } from '../core/errors.ts'
import type { Caller } from '../operations/context.ts'
import { readValue } from './body.ts'
import type { Via } from './guard.ts'

/** Where a caller is and what its environment holds: keys, which are nobody else's business. Kept in memory only. */
export interface Place {
  cwd: string
  env: Env
}

export interface Callers {
  put(place: Place): string
  /** Null where the daemon has been started again, or has forgotten it among many: the caller says it again. */
  get(id: string): Place | null
}

/** Each is some kilobytes; commands that still talk come back to it, so the oldest are those that have gone. */
const KEPT = 1000

export function createCallers(): Callers {
  const places = new Map<string, Place>()
  return {
    put(place) {
      const id = randomUUID()
      places.set(id, place)
      const [oldest] = places.keys()
      if (places.size > KEPT && oldest !== undefined) places.delete(oldest)
      return id
    },
    get(id) {
      const place = places.get(id)
      if (place === undefined) return null
      places.delete(id)
      places.set(id, place)
      return place
    },
  }
}

const placeSchema = z.strictObject({
  cwd: z.string().refine(isAbsolute),
  env: z.record(z.string(), z.string()),
})

/** `PUT /caller`: a command of this machine says where it is, once. Throws `forbidden` for everybody else. */
export async function putCaller(callers: Callers, request: Request, { actor }: Caller, via: Via): Promise<{ id: string }> {
  if (actor.kind !== 'user' || via !== 'socket') {
    throw new ReeveError('forbidden', {
      actor: actor.name,
      role: actor.role,
      doing: 'say where it is',
      needed: "the daemon's own token and socket",
    })
  }
  const read = placeSchema.safeParse(await readValue(request))
  if (!read.success)
    throw new ReeveError('invalid_input', { problem: 'the body must hold "cwd", an absolute path, and "env", a table of texts' })
  return { id: callers.put(read.data) }
}
