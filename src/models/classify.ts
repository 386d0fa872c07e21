import { problemOf } from '../core/errors.ts'
import { ProviderFailure } from './guard.ts'
import type { ProviderErrorClass } from './port.ts'
import { retryAfterMs } from './retry-after.ts'

const TOO_LONG =
  /context[_ -]?(length|window|size)|maximum context|prompt is too long|too many (input )?tokens|token count.{0,80}exceeds|exceeds? the (available |model'?s )?context|input is too long/i
const REFUSED = /content[_ -]?(policy|filter)|safety|flagged as|violat(es|ing) our/i
/** Out of money, not out of patience: waiting a little does not help. */
const SPENT = /insufficient[_ ](quota|credits|balance|funds)|exceeded your (current )?quota|credit balance|billing|payment required/i
/** What comes back so soon is a rate, by whatever name. */
const RATE_MS = 120_000
const NO_MODEL =
  /model_not_found|(unknown|invalid|no such) model|not a valid model|\bmodel\b[\s:=]*["'`]?[\w./:@-]*["'`]? (is |was |does )?not (found|exist|supported|available)/i
const BROKEN =
  /^AI_(JSONParse|TypeValidation|InvalidResponseData|EmptyResponseBody|NoOutputGenerated|NoContentGenerated|InvalidStreamPart)Error$/
const NETWORK =
  /Cannot connect|ECONNRESET|ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|UND_ERR|terminated|fetch failed|other side closed|socket|unexpected redirect/i
/** Waiting makes no certificate good, and a proxy that wants to know who asks is not told by asking again. */
const UNTRUSTED =
  /SELF_SIGNED_CERT|UNABLE_TO_(VERIFY|GET_ISSUER)|CERT_(HAS_EXPIRED|NOT_YET_VALID|UNTRUSTED)|ERR_TLS_CERT|ERR_SSL_(WRONG_VERSION|PACKET)|self-signed certificate|Proxy response \(4|Proxy Authentication Required/i
const SHOWN = 400

/** What `ai` throws, as far as we read it; duck-typed, so that this file does not load it. */
interface Thrown {
  name?: string
  message?: string
  statusCode?: number
  responseHeaders?: Record<string, string>
  responseBody?: string
  type?: string
  code?: string | number
  data?: unknown
  cause?: unknown
  lastError?: unknown
}

/** Turns what an API call threw into a failure with a class. `now`: epoch ms, for `retry-after` dates. */
export function classify(error: unknown, now: number): ProviderFailure {
  if (error instanceof ProviderFailure) return error
  const it: Thrown = typeof error === 'object' && error !== null ? error : { message: String(error) }
  if (it.lastError !== undefined) return classify(it.lastError, now)
  const text = wholeText(it)
  const status = it.statusCode
  const retryAfter = retryAfterMs(it.responseHeaders, now, it.responseBody)
  const failure = (kind: ProviderErrorClass) => failureOf(kind, problemText(it, status), retryAfter)

  if (TOO_LONG.test(text)) return failure('context_too_long')
  if (status === 200 && it.name === 'AI_APICallError') return failure(NETWORK.test(text) ? 'network' : 'bad_output')
  if (status !== undefined) return failure(classOfStatus(status, text, retryAfter))
  if (it.name !== undefined && BROKEN.test(it.name)) return failure('bad_output')
  if (it.name === 'AI_LoadAPIKeyError') return failure('auth')
  return failure(classOfWords(text))
}

/** A failure of a class; the class says whether trying again can help. */
export function failureOf(kind: ProviderErrorClass, problem: string, retryAfter: number | null = null): ProviderFailure {
  return new ProviderFailure(kind, problem, { retryAfterMs: retryAfter, final: FINAL.includes(kind) })
}

/** The same request gets the same answer. */
const FINAL: readonly ProviderErrorClass[] = ['auth', 'quota', 'refused', 'context_too_long', 'model', 'config']

/** The class of an answer that is an error. `text`: all that is known of it; `retryAfter`: milliseconds the server asked for. */
function classOfStatus(status: number, text: string, retryAfter: number | null): ProviderErrorClass {
  if (status === 402) return 'quota'
  // Some makers call the limit of a minute a quota too.
  if (status === 429) return SPENT.test(text) && (retryAfter === null || retryAfter > RATE_MS) ? 'quota' : 'rate_limited'
  if (status >= 400 && status < 500 && SPENT.test(text)) return 'quota'
  if (status === 401 || status === 403) return 'auth'
  if (status === 413 || TOO_LONG.test(text)) return 'context_too_long'
  if (status === 404 || (status < 500 && NO_MODEL.test(text))) return 'model'
  if (status === 405 || status === 407 || status === 501) return 'config'
  if (status === 408 || status === 503 || status === 504 || status === 529) return 'overloaded'
  if (status >= 500) return /overloaded/i.test(text) ? 'overloaded' : 'server'
  // 400, 422: the server understood and said no.
  return 'refused'
}

/** Errors inside a stream carry no status but words such as `overloaded_error`. */
export function classOfWords(text: string): ProviderErrorClass {
  if (TOO_LONG.test(text)) return 'context_too_long'
  if (/overloaded|unavailable/i.test(text)) return 'overloaded'
  if (SPENT.test(text)) return 'quota'
  if (/rate_limit|too many requests|resource_exhausted/i.test(text)) return 'rate_limited'
  if (/authentication_error|permission_error|invalid_api_key/i.test(text)) return 'auth'
  if (UNTRUSTED.test(text)) return 'config'
  if (/server_error|api_error|internal error/i.test(text)) return 'server'
  if (NETWORK.test(text)) return 'network'
  if (NO_MODEL.test(text)) return 'model'
  if (REFUSED.test(text)) return 'refused'
  return /JSON|parse|unexpected|expected|invalid|stream|chunk/i.test(text) ? 'bad_output' : 'crashed'
}

function wholeText(it: Thrown): string {
  return [it.message, it.responseBody, it.type, it.code, causes(it.cause), it.data === undefined ? '' : JSON.stringify(it.data)].join(' ')
}

function causes(cause: unknown, depth = 0): string {
  if (cause === undefined || cause === null || depth > 4) return ''
  const { code, cause: deeper } = cause as { code?: string; cause?: unknown }
  return `${code ?? ''} ${problemOf(cause)} ${causes(deeper, depth + 1)}`
}

function problemText(it: Thrown, status: number | undefined): string {
  const why = [it.message ?? '', causes(it.cause).trim()].filter((text) => text !== '').join(': ')
  const text = `${status === undefined || status === 200 ? '' : `HTTP ${status}: `}${why || it.name || 'unknown error'}`.replaceAll(
    /\s+/g,
    ' ',
  )
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text
}
