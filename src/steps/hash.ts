import { createHash } from 'node:crypto'
import { canonicalJson } from '../core/json.ts'

/** SHA-256 of a value's canonical JSON, hex. */
export function hashOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex')
}

/** Head of the hash chain over these entries: each link covers the one before, so that none can be changed, dropped or moved unseen. */
export function chainHead(entries: readonly unknown[]): string {
  return entries.reduce<string>((previous, entry) => hashOf({ previous, entry }), '')
}
