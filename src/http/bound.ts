import type { Hono } from 'hono'
import { ReeveError } from '../core/errors.ts'
import type { Caller } from '../operations/context.ts'
import type { Via } from './guard.ts'

/** What is known of a request while it is answered. */
export interface Bound {
  via: Via
  from: string | undefined
  caller: Caller | null
  route: string | null
  problem: string | null
}

export type App = Hono<{ Bindings: Bound }>

export function honoPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1')
}

export function known({ caller }: Bound): Caller {
  if (caller === null) throw new ReeveError('unauthorized', { problem: 'it sends no token' })
  return caller
}
