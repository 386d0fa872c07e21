import { problemOf } from '../../core/errors.ts'
import { parseJson } from '../../core/json.ts'
import { redactor } from '../../core/redact.ts'
import { askServer, textUpTo } from '../ask-server.ts'
import { classify } from '../classify.ts'
import type { Service } from '../endpoint.ts'
import { ProviderFailure, type RawEvent } from '../guard.ts'
import { headersFor } from '../headers.ts'
import { fieldsOf, wordOf } from '../json-fields.ts'
import { limitsFrom } from '../limits.ts'
import type { GenerateRequest, ModelProvider } from '../port.ts'
import { costOf, priceOf } from '../prices.ts'
import { retriesOf, withRetries } from '../retry.ts'
import { CHARS_PER_TOKEN, charsOf } from '../tokens.ts'
import { watchedFetch } from '../watched-fetch.ts'
import { linesOf } from './lines.ts'
import { type ShownModel, serverHealth, showModel } from './server.ts'
import { chatBody, eventsOf } from './wire.ts'

export const OLLAMA = { baseUrl: 'http://127.0.0.1:11434', keyVariables: [] } as const

/** Unless `context_tokens` says otherwise: all that a model was made for, often 128,000 tokens and more, takes more memory than most machines have. */
const CONTEXT_TOKENS = 32_768
/** A server that is there answers such questions in milliseconds. */
const LEARN_MS = 2000
const HEALTH_MS = 5000
const MOST_ERROR_BYTES = 65_536
/** Framing of one message by the model's template. */
const TOKENS_PER_MESSAGE = 8

/**
 * Ollama by its own protocol: only there the size of the context can be set for each call, and how long a model stays loaded. A prompt that does
 * not fit is refused before it is sent; the server would leave out its beginning and say nothing.
 */
export function createOllama(options: Service): ModelProvider {
  const { name, settings, model, clock, key, fetch } = options
  const price = priceOf(model, settings)
  const redact = redactor(key === null ? [] : [key])
  const root = options.baseUrl.replace(/\/(v1|api)$/, '')
  const headers: Record<string, string> = key === null ? {} : { authorization: `Bearer ${key}` }
  const ask = (ms: number, signal: AbortSignal) => askServer(fetch, root, headers, AbortSignal.any([signal, AbortSignal.timeout(ms)]))
  let shown: ShownModel | null = null
  // Becomes smaller when the server counts more tokens than we did.
  let charsPerToken = CHARS_PER_TOKEN

  const contextTokens = () => Math.min(settings.context_tokens ?? CONTEXT_TOKENS, shown?.contextTokens ?? Number.POSITIVE_INFINITY)

  async function learn(signal: AbortSignal): Promise<void> {
    shown ??= await showModel(ask(LEARN_MS, signal), model)
  }

  async function* answer(request: GenerateRequest, signal: AbortSignal, alive: () => void): AsyncGenerator<RawEvent> {
    refuseTooLong(request, contextTokens(), settings.max_tokens, charsPerToken)
    const { outputChars } = limitsFrom(settings, true)
    const response = await watchedFetch(
      fetch,
      alive,
      outputChars,
    )(`${root}/api/chat`, {
      method: 'POST',
      headers: { ...headersFor(settings.headers, request.origin), ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(
        chatBody(request, {
          model,
          contextTokens: contextTokens(),
          maxTokens: settings.max_tokens,
          temperature: settings.temperature,
          keepAlive: settings.keep_alive,
        }),
      ),
      signal,
    })
    if (!response.ok || !response.body) throw await refusal(response)
    for await (const event of eventsOf(linesOf(response.body, outputChars), request.origin.turn)) {
      if (event.type === 'end' && event.tokens !== null && event.tokens.input > 0)
        charsPerToken = Math.max(1, Math.min(charsPerToken, charsOf(request) / event.tokens.input))
      yield event
    }
  }

  return {
    name,
    model,
    get capabilities() {
      return { tools: shown?.tools ?? true, schema: true, contextTokens: contextTokens(), outputTokens: settings.max_tokens }
    },
    price,
    learn,
    async *generate(request) {
      await learn(request.signal)
      const open = async function* (signal: AbortSignal, alive: () => void) {
        try {
          yield* answer(request, signal, alive)
        } catch (error) {
          const failure = classify(error, clock.now())
          throw new ProviderFailure(failure.class, redact(failure.message), failure)
        }
      }
      yield* withRetries(open, {
        ...retriesOf(settings, request, clock, options.admission),
        limits: limitsFrom(settings, true),
        price: (tokens) => costOf(tokens, price),
      })
    },
    async health(signal) {
      try {
        return await serverHealth(ask(HEALTH_MS, signal), root, model)
      } catch (error) {
        return { ok: false, detail: redact(problemOf(error)) }
      }
    },
  }
}

/** Counted roughly: the server has no way to ask. */
function refuseTooLong(request: GenerateRequest, contextTokens: number, maxTokens: number, charsPerToken: number): void {
  const prompt = Math.ceil(charsOf(request) / charsPerToken) + request.messages.length * TOKENS_PER_MESSAGE
  const room = contextTokens - Math.min(maxTokens, Math.floor(contextTokens / 4))
  if (prompt <= room) return
  const problem = `The prompt has about ${prompt} tokens, and of the ${contextTokens} that the model reads (context_tokens) ${room} are for it.`
  throw new ProviderFailure('context_too_long', problem, { final: true })
}

/** An answer that is an error, as `classify` reads it. */
async function refusal(response: Response): Promise<object> {
  const body = (await textUpTo(response, MOST_ERROR_BYTES)) ?? ''
  return { message: errorIn(body), statusCode: response.status, responseHeaders: Object.fromEntries(response.headers), responseBody: body }
}

function errorIn(body: string): string {
  try {
    return wordOf(fieldsOf(parseJson(body, 'the answer'))['error']) || body
  } catch {
    return body
  }
}
