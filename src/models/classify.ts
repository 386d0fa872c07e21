import { problemOf } from '../core/errors.ts'
import { ProviderFailure } from './guard.ts'
import type { ProviderErrorClass } from './port.ts'
import { retryAfterMs } from './retry.ts'

const TOO_LONG =
  /context[_ -]?(length|window|size)|maximum context|prompt is too long|too many (input )?tokens|token count.{0,80}exceeds|exceeds? the (available |model'?s )?context|input is too long/i
const REFUSED = /content[_ -]?(policy|filter)|safety|flagged as|violat(es|ing) our/i
/** Out of money, not out of patience: waiting does not help. */
const SPENT = /insufficient_quota|exceeded your current quota|credit balance|billing/i
const BROKEN =
  /^AI_(JSONParse|TypeValidation|InvalidResponseData|EmptyResponseBody|NoOutputGenerated|NoContentGenerated|InvalidStreamPart)Error$/
const NETWORK =
  /Cannot connect|ECONNRESET|ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|UND_ERR|terminated|fetch failed|other side closed|socket|unexpected redirect/i
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
  const failure = (kind: ProviderErrorClass, final = false) =>
    new ProviderFailure(kind, problemText(it, status), { retryAfterMs: retryAfterMs(it.responseHeaders, now), final })

  if (TOO_LONG.test(text)) return failure('context_too_long', true)
  if (status === 200 && it.name === 'AI_APICallError') return failure(NETWORK.test(text) ? 'network' : 'bad_output')
  if (status !== undefined) return byStatus(status, text, failure)
  if (it.name !== undefined && BROKEN.test(it.name)) return failure('bad_output')
  if (it.name === 'AI_LoadAPIKeyError') return failure('auth', true)
  return byWords(text, failure)
}

type Fail = (kind: ProviderErrorClass, final?: boolean) => ProviderFailure

function byStatus(status: number, text: string, fail: Fail): ProviderFailure {
  if (status === 401 || status === 402 || status === 403) return fail('auth', true)
  if (status === 429) return fail('rate_limited', SPENT.test(text))
  if (status === 413) return fail('context_too_long', true)
  if (status === 408 || status >= 500) return fail('overloaded')
  // 400, 404, 422: the server understood and said no; the same request gets the same answer.
  return fail('refused', true)
}

/** Errors inside a stream carry no status but words such as `overloaded_error`. */
function byWords(text: string, fail: Fail): ProviderFailure {
  if (/overloaded|server_error|api_error|internal error|unavailable/i.test(text)) return fail('overloaded')
  if (/rate_limit|too many requests|resource_exhausted/i.test(text)) return fail('rate_limited', SPENT.test(text))
  if (/authentication_error|permission_error|invalid_api_key/i.test(text)) return fail('auth', true)
  if (NETWORK.test(text)) return fail('network')
  if (REFUSED.test(text)) return fail('refused', true)
  if (/JSON|parse|unexpected|expected|invalid|stream|chunk/i.test(text)) return fail('bad_output')
  return fail('crashed')
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
