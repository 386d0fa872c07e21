import type { CallOrigin } from './port.ts'

/** The configured headers of one call: placeholders filled in, values made safe. Unknown `{words}` stay as they are. */
export function headersFor(headers: Readonly<Record<string, string>>, origin: CallOrigin): Record<string, string> {
  const values = new Map([
    ['run', origin.run],
    ['step', origin.step],
    ['role', origin.role],
    ['task', origin.task],
    ['attempt', String(origin.attempt)],
  ])
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      safeValue(value.replaceAll(/\{(\w+)\}/g, (whole, word: string) => values.get(word) ?? whole)),
    ]),
  )
}

/** A header value is one line of visible ASCII: line ends and other controls become blanks, the rest is percent-encoded. */
function safeValue(value: string): string {
  return value
    .replaceAll(/\p{Cc}+/gu, ' ')
    .toWellFormed()
    .replaceAll(/[^\x20-\x7E]/gu, (it) => encodeURIComponent(it))
    .trim()
}
