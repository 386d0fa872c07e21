import type { Clock } from '../core/clock.ts'
import { problemOf } from '../core/errors.ts'
import { type Redact, redactor } from '../core/redact.ts'
import type { ProviderSettings } from '../core/settings.ts'
import { type ApiCall, holdsToSchema, streamOf } from './api-stream.ts'
import { textUpTo } from './ask-server.ts'
import { classify } from './classify.ts'
import type { Service } from './endpoint.ts'
import { type OpenRequest, ProviderFailure } from './guard.ts'
import type { ApiKind } from './kind.ts'
import { CONTEXT_TOKENS, limitsFrom } from './limits.ts'
import type { ModelProvider, ProviderErrorClass } from './port.ts'
import { costOf, priceOf } from './prices.ts'
import { retriesOf, withRetries } from './retry.ts'
import { describeServer, type Server, serverAt } from './server.ts'

/** Some gateways list hundreds of models with all their prices. */
const MOST_LIST_BYTES = 8 * 1024 * 1024
/** Longer than this, a server that only lists its models is not usable. */
const HEALTH_MS = 10_000

export interface ApiOptions extends Service {
  kind: ApiKind
}

/** A provider over HTTP, through the `ai` package. What differs between the dialects is in `kind`. */
export function createApiProvider(options: ApiOptions): ModelProvider {
  const { name, kind, settings, model, key, clock } = options
  const price = priceOf(model, settings)
  const redact = redactor(key === null ? [] : [key])
  const server = kind.isServer === true ? serverAt(options, kind.authHeaders(key), options.fetch, settings.dialect) : null
  return {
    name,
    model,
    price,
    get capabilities() {
      return {
        tools: server?.facts?.tools ?? true,
        schema: true,
        contextTokens: contextOf(settings, server),
        outputTokens: settings.max_tokens,
      }
    },
    ...(server === null ? {} : { learn: (signal) => server.learn(signal) }),
    async *generate(request) {
      await server?.learn(request.signal)
      const local = server?.facts != null && server.facts.dialect !== 'generic'
      const events = withRetries(opener({ ...options, request, server }, redact), {
        ...retriesOf(settings, request, clock, options.admission),
        limits: limitsFrom(settings, local),
        price: (tokens) => costOf(tokens, price),
      })
      for await (const event of events) {
        if (event.type === 'error' && STALE.includes(event.class)) server?.doubt()
        yield event
      }
    },
    health: (signal) => health(options, server, redact, signal),
  }
}

/** After these what is known of the server may be wrong. */
const STALE: readonly ProviderErrorClass[] = ['network', 'server', 'context_too_long', 'model', 'config']

/** The smaller one: a setting does not make a server read more than it was started for. */
function contextOf(settings: ProviderSettings, server: Server | null): number {
  const said = server?.facts?.contextTokens ?? Number.POSITIVE_INFINITY
  return Math.min(settings.context_tokens ?? server?.contextTokens ?? CONTEXT_TOKENS, said)
}

function opener(call: ApiCall & { clock: Clock }, redact: Redact): OpenRequest {
  return async function* open(signal, alive) {
    let answered = false
    try {
      for await (const event of streamOf(call, signal, alive)) {
        answered = true
        yield event
      }
    } catch (error) {
      const failure = classify(error, call.clock.now())
      const again = !answered && otherWay(call, failure)
      // Servers repeat the key in "incorrect API key".
      throw new ProviderFailure(failure.class, redact(failure.message), again ? { again } : failure)
    }
  }
}

/** Not all servers know all ways to hold an answer to a schema, nor all schemas. True: the next try uses another way. */
function otherWay({ request, server }: ApiCall, failure: ProviderFailure): boolean {
  if (!holdsToSchema(request) || server === null) return false
  if (!['refused', 'config', 'server'].includes(failure.class)) return false
  return /response_format|schema|grammar|structured/i.test(failure.message) && server.nextSchemaWay(request.schema)
}

/** Lists the server's models, which costs nothing. */
async function health(
  { kind, baseUrl, key, model, fetch }: ApiOptions,
  server: Server | null,
  redact: Redact,
  signal: AbortSignal,
): Promise<{ ok: boolean; detail: string }> {
  try {
    const response = await fetch(`${baseUrl}/models`, {
      headers: kind.authHeaders(key),
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(HEALTH_MS)]),
    })
    const listed = (await textUpTo(response, MOST_LIST_BYTES)) ?? ''
    if (response.status === 401 || response.status === 403)
      return { ok: false, detail: `${baseUrl} refuses the key (HTTP ${response.status}).` }
    // A server without a list of models is still a server.
    if (response.ok || [404, 405, 501].includes(response.status)) {
      await server?.learn(signal)
      return { ok: true, detail: `${baseUrl} answers${server === null ? '' : describeServer(server, model, listed)}.` }
    }
    return { ok: false, detail: `${baseUrl} answers HTTP ${response.status}.` }
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? `: ${problemOf(error.cause)}` : ''
    return { ok: false, detail: redact(`${baseUrl} cannot be reached: ${problemOf(error)}${cause}`) }
  }
}
