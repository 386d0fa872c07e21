import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/** A new key and what is kept of it. The value is shown once and is nowhere else. */
export interface MadeKey {
  id: string
  value: string
  digest: string
}

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
const FORM = /^rv_([0-9a-z]{8})_[A-Za-z0-9_-]{43}$/

/** `rv_<id>_<32 random bytes>`: known to scanners of secrets by its first letters, and found in the store by its id. */
export function makeKey(random: (size: number) => Buffer = randomBytes): MadeKey {
  const id = [...random(8)].map((byte) => ALPHABET[byte % 32]).join('')
  const value = `rv_${id}_${random(32).toString('base64url')}`
  return { id, value, digest: digestOf(value) }
}

/** The id in a text that has the form of a key; null: it has not. */
export function keyIdIn(text: string): string | null {
  return FORM.exec(text)?.[1] ?? null
}

/** What is kept of a key. 256 random bits cannot be guessed, so a slow hash or a pepper would guard nothing: docs/decisions/0016. */
export function digestOf(value: string): string {
  return createHash('sha256').update(value).digest('base64url')
}

/** Compares in a time that does not tell how much of it was right: both are digests of the same length. */
export function sameDigest(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one, 'base64url'), Buffer.from(other, 'base64url')]
  return a.length === b.length && timingSafeEqual(a, b)
}
