/** Replaces known secret values; made once per process from the environment variables that hold keys. */
export type Redact = (text: string) => string

// Shorter values would hit ordinary words.
const MIN_SECRET = 8

/** A function that replaces each exact value by `[redacted]`, the longest first, also base64 and URL-encoded. */
export function redactor(secrets: readonly string[]): Redact {
  const values = secrets
    .filter((it) => it.length >= MIN_SECRET)
    .flatMap((it) => [it, Buffer.from(it).toString('base64'), encodeURIComponent(it)])
  const unique = [...new Set(values)].toSorted((a, b) => b.length - a.length)
  if (unique.length === 0) return (text) => text
  return (text) => unique.reduce((all, it) => all.replaceAll(it, '[redacted]'), text)
}

/** A value with every text in it redacted. */
export function redactAll<T>(value: T, redact: Redact): T {
  if (typeof value === 'string') return redact(value) as T
  if (Array.isArray(value)) return value.map((it: unknown) => redactAll(it, redact)) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, it]) => [key, redactAll<unknown>(it, redact)])) as T
}
