/** Shorter values would hit ordinary words. */
export const MIN_SECRET = 8
/** A line of a key is only looked for by itself when it can be nothing else. */
const MIN_LINE = 16

/**
 * The ways in which a program prints a secret: as it is, quoted in JSON (also twice), in a URL, as hex, in base64 from any of the three places
 * a byte can have in it. Line breaks are left out: they are looked over. Of a value with several lines each one counts too.
 */
export function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret)
  const quoted = JSON.stringify(secret).slice(1, -1)
  const address = encodeURIComponent(secret)
  const hex = bytes.toString('hex')
  const base64 = [0, 1, 2].map((before) => base64At(bytes, before))
  const all = [
    secret,
    quoted,
    quoted.replaceAll('/', String.raw`\/`),
    JSON.stringify(quoted).slice(1, -1),
    address,
    address.replaceAll(/%[0-9A-F]{2}/g, (it) => it.toLowerCase()),
    address.replaceAll('%20', '+'),
    hex,
    hex.toUpperCase(),
    ...base64,
    ...base64.map((it) => it.replaceAll('+', '-').replaceAll('/', '_')),
    ...linesOf(secret),
  ]
  return [...new Set(all.map((it) => it.replaceAll(/[\r\n]/g, '')))].filter((it) => it.length >= MIN_SECRET)
}

function linesOf(secret: string): string[] {
  if (!/\n/.test(secret.trim())) return []
  return secret
    .split(/\r?\n/)
    .map((it) => it.trim())
    .filter((it) => it.length >= MIN_LINE && !it.startsWith('-----'))
}

/** The part of the base64 text that is the same whatever comes before and after, when `before` bytes of a group of three precede. */
function base64At(bytes: Buffer, before: number): string {
  const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64')
  const from = Math.ceil((before * 8) / 6)
  const to = Math.floor(((before + bytes.length) * 8) / 6)
  return text.slice(from, to)
}
