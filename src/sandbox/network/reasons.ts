/** Why a connection was not made: status for the program inside, and the sentence it can show. `{target}`, `{allowed}` and `{detail}` are replaced. */
export const REASONS = {
  malformed: { status: 400, text: 'the request names no host:port' },
  'bad-hostname': { status: 403, text: '{target} is no plain host name, and not among the hosts this command may reach ({allowed})' },
  'not-allowed': { status: 403, text: '{target} is not among the hosts this command may reach ({allowed})' },
  'private-address': { status: 403, text: '{target} leads to {detail}, an address that is not public' },
  'plain-http': { status: 403, text: '{target} is asked for without TLS, which only hosts of your own configuration may be' },
  'too-many-connections': { status: 503, text: 'too many connections at once' },
  'too-slow': { status: 408, text: 'the request did not come in time' },
  'too-large': { status: 431, text: 'the head of the request is too large' },
  dns: { status: 502, text: 'the name {target} was not found' },
  unreachable: { status: 502, text: '{target} could not be reached: {detail}' },
  'upstream-proxy': { status: 502, text: 'the proxy of this machine did not connect to {target}: {detail}' },
} as const satisfies Record<string, { status: number; text: string }>

export type Reason = keyof typeof REASONS

/** One sentence on one line, plain ASCII: it goes into the first line of an HTTP answer, which package managers show. */
export function sentenceOf(reason: Reason, words: { target: string; allowed?: string; detail?: string }): string {
  const text = REASONS[reason].text.replaceAll(/\{(target|allowed|detail)\}/g, (_, name: keyof typeof words) => words[name] ?? '')
  return `reeve: ${plain(text, 600)}`
}

/** Text of a request for logs and answers: printable ASCII, cut to a length. */
export function plain(text: string, most = 260): string {
  const clean = text.replaceAll(/[^\x20-\x7e]/g, '?')
  return clean.length > most ? `${clean.slice(0, most - 3)}...` : clean
}
