/** No quota takes longer than a month to come back; a run that was told so would wait for ever. */
export const LONGEST_WAIT_MS = 31 * 24 * 3_600_000
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

type Headers = Readonly<Record<string, string>>

/**
 * Milliseconds until the server wants to be asked again, null when it does not say, or says nonsense: `retry-after` (seconds or an HTTP date),
 * `retry-after-ms`, Google's `retryDelay` in the body, else when the limits of Anthropic's and OpenAI's headers are there again.
 * `now`: epoch ms.
 */
export function retryAfterMs(headers: Headers | undefined, now: number, body = ''): number | null {
  const said = asked(headers, now) ?? delayIn(body)
  return said ?? (headers === undefined ? null : resetIn(headers, now))
}

function asked(headers: Headers | undefined, now: number): number | null {
  const exact = Number(headers?.['retry-after-ms'] ?? Number.NaN)
  if (isWait(exact)) return exact
  const text = headers?.['retry-after']?.trim()
  if (!text) return null
  const seconds = Number(text)
  if (!Number.isNaN(seconds)) return isWait(seconds * 1000) ? seconds * 1000 : null
  return untilDate(text, now)
}

function delayIn(body: string): number | null {
  const seconds = Number(/"retryDelay"\s*:\s*"(\d+(?:\.\d+)?)s"/.exec(body)?.[1] ?? Number.NaN)
  return isWait(seconds * 1000) ? seconds * 1000 : null
}

/** `anthropic-ratelimit-<what>-reset`, a date or epoch seconds; `x-ratelimit-reset-<what>`, a duration such as `1m30s`. */
const RESET = /^(?:anthropic-ratelimit-(.+)-reset|x-ratelimit-reset-(.+))$/

/** Of the limits that are used up the last one to come back; where none says so, the first one. */
function resetIn(headers: Headers, now: number): number | null {
  const limits = Object.entries(headers).flatMap(([name, value]) => {
    const [matched, dated, lasting] = RESET.exec(name.toLowerCase()) ?? []
    if (matched === undefined) return []
    const left = dated === undefined ? headers[`x-ratelimit-remaining-${lasting}`] : headers[`anthropic-ratelimit-${dated}-remaining`]
    const wait = dated === undefined ? lastingMs(value) : untilDate(/^\d+$/.test(value) ? Number(value) * 1000 : value, now)
    return wait === null ? [] : [{ wait, usedUp: left !== undefined && Number(left) === 0 }]
  })
  const usedUp = limits.filter((it) => it.usedUp)
  if (usedUp.length > 0) return Math.max(...usedUp.map((it) => it.wait))
  return limits.length === 0 ? null : Math.min(...limits.map((it) => it.wait))
}

function untilDate(date: string | number, now: number): number | null {
  const wait = Math.max(0, (typeof date === 'number' ? date : Date.parse(date)) - now)
  return isWait(wait) ? wait : null
}

/** `6m0s`, `1.5s`, `20ms`. */
function lastingMs(text: string): number | null {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)]
  if (parts.length === 0 || parts.map((it) => it[0]).join('') !== text.trim()) return null
  const wait = Math.ceil(parts.reduce((sum, it) => sum + Number(it[1]) * (UNITS[it[2] ?? ''] ?? 0), 0))
  return isWait(wait) ? wait : null
}

function isWait(ms: number): boolean {
  return ms >= 0 && ms <= LONGEST_WAIT_MS
}
