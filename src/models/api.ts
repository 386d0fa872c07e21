import { type FinishReason, jsonSchema, Output, streamText, type ToolSet, tool } from 'ai'
import type { Clock } from '../core/clock.ts'
import { problemOf } from '../core/errors.ts'
import type { Json } from '../core/json.ts'
import { type Redact, redactor } from '../core/redact.ts'
import type { ProviderSettings } from '../core/settings.ts'
import type { Admission } from './admission.ts'
import { classify } from './classify.ts'
import type { Endpoint } from './endpoint.ts'
import { type Finish, type OpenRequest, ProviderFailure, type RawEvent, type RawTokens } from './guard.ts'
import { headersFor } from './headers.ts'
import type { ApiKind } from './kind.ts'
import { CONTEXT_TOKENS, limitsFrom } from './limits.ts'
import { toAi } from './messages.ts'
import type { GenerateRequest, ModelProvider, ToolCall } from './port.ts'
import { costOf, priceOf } from './prices.ts'
import { retriesOf, withRetries } from './retry.ts'
import { watchedFetch } from './watched-fetch.ts'

// Warnings about unsupported settings would go to the terminal of whoever runs us.
globalThis.AI_SDK_LOG_WARNINGS = false

/** Longer than this, a server that only lists its models is not usable. */
const HEALTH_MS = 10_000

export interface ApiOptions extends Endpoint {
  name: string
  kind: ApiKind
  settings: ProviderSettings
  clock: Clock
  fetch: typeof fetch
  admission?: Admission | undefined
}

/** A provider over HTTP, through the `ai` package. What differs between the dialects is in `kind`. */
export function createApiProvider(options: ApiOptions): ModelProvider {
  const { name, settings, model, clock } = options
  const price = priceOf(model, settings)
  const redact = redactor(options.key === null ? [] : [options.key])
  return {
    name,
    model,
    price,
    capabilities: {
      tools: true,
      schema: true,
      contextTokens: settings.context_tokens ?? CONTEXT_TOKENS,
      outputTokens: settings.max_tokens,
    },
    generate: (request) =>
      withRetries(opener(options, request, redact), {
        ...retriesOf(settings, request, clock, options.admission),
        limits: limitsFrom(settings),
        price: (tokens) => costOf(tokens, price),
      }),
    health: (signal) => health(options, redact, signal),
  }
}

function opener(options: ApiOptions, request: GenerateRequest, redact: Redact): OpenRequest {
  return async function* open(signal, alive) {
    try {
      yield* stream(options, request, signal, alive)
    } catch (error) {
      const failure = classify(error, options.clock.now())
      // Servers repeat the key in "incorrect API key".
      throw new ProviderFailure(failure.class, redact(failure.message), failure)
    }
  }
}

async function* stream(options: ApiOptions, request: GenerateRequest, signal: AbortSignal, alive: () => void): AsyncGenerator<RawEvent> {
  const { kind, settings, baseUrl, model, key, name } = options
  const fetch = watchedFetch(options.fetch, alive, limitsFrom(settings).outputChars)
  const { instructions, messages } = toAi(request.messages, kind)
  const result = streamText({
    model: kind.model({ baseUrl, model, key, name, fetch }),
    ...(instructions.length === 0 ? {} : { instructions }),
    messages,
    ...(request.tools.length === 0 ? {} : { tools: toolsOf(request) }),
    // Grammar and tools exclude each other on many servers; the caller validates in any case.
    ...(request.schema !== undefined && request.tools.length === 0
      ? { output: Output.object({ schema: jsonSchema(request.schema) }) }
      : {}),
    maxOutputTokens: Math.min(request.maxOutputTokens ?? settings.max_tokens, settings.max_tokens),
    ...(settings.temperature === undefined ? {} : { temperature: settings.temperature }),
    headers: headersFor(settings.headers, request.origin),
    abortSignal: signal,
    // Retries are ours, in `retry.ts`.
    maxRetries: 0,
    streamRetries: 0,
    // Nothing is stored at OpenAI beyond what answering needs.
    providerOptions: { openai: { store: false } },
    // The default prints to the terminal.
    onError: () => {},
  })
  let calls = 0
  for await (const part of result.stream) {
    if (part.type === 'text-delta' && part.text !== '') yield { type: 'text', text: part.text }
    else if (part.type === 'reasoning-delta') yield { type: 'unseen', chars: part.text.length }
    else if (part.type === 'tool-input-delta') yield { type: 'unseen', chars: part.delta.length }
    else if (part.type === 'tool-call') yield { type: 'call', call: callOf(part, kind, request.origin.turn, calls++) }
    else if (part.type === 'error') throw part.error
    else if (part.type === 'abort') throw new ProviderFailure('aborted', 'The call was aborted.', { final: true })
    else if (part.type === 'finish-step') {
      yield { type: 'end', tokens: tokensOf(part.usage), finish: finishOf(part.finishReason, part.rawFinishReason, calls) }
      return
    }
  }
}

function toolsOf(request: GenerateRequest): ToolSet {
  return Object.fromEntries(
    request.tools.map((it) => [it.name, tool({ description: it.description, inputSchema: jsonSchema<Record<string, unknown>>(it.input) })]),
  )
}

function callOf(
  part: { toolCallId: string; toolName: string; input: unknown; providerMetadata?: unknown },
  kind: ApiKind,
  turn: number,
  index: number,
): ToolCall {
  return {
    id: part.toolCallId || `call-${turn}-${index}`,
    name: part.toolName,
    input: (part.input ?? null) as Json,
    ...(kind.returnsCallData && part.providerMetadata !== undefined ? { providerData: part.providerMetadata as Json } : {}),
  }
}

function tokensOf(usage: {
  inputTokens: number | undefined
  outputTokens: number | undefined
  inputTokenDetails: { cacheReadTokens: number | undefined; cacheWriteTokens: number | undefined }
}): RawTokens | null {
  // No real call has neither: such zeros are a server that does not count.
  if (!usage.inputTokens && !usage.outputTokens) return null
  const { cacheReadTokens, cacheWriteTokens } = usage.inputTokenDetails
  return { input: usage.inputTokens ?? 0, output: usage.outputTokens ?? 0, cached: cacheReadTokens ?? 0, written: cacheWriteTokens ?? 0 }
}

function finishOf(reason: FinishReason, raw: string | undefined, calls: number): Finish {
  if (reason === 'error') throw new ProviderFailure('bad_output', `The model ended with an error (${raw ?? 'no reason given'}).`)
  if (reason === 'content-filter') return 'refused'
  if (reason === 'tool-calls' || calls > 0) return 'calls'
  if (reason === 'stop' || reason === 'length') return reason
  if (raw === undefined) throw new ProviderFailure('bad_output', 'The stream ended without saying that it was finished.')
  return 'other'
}

/** Lists the server's models, which costs nothing. */
async function health(
  { kind, baseUrl, key, fetch }: ApiOptions,
  redact: Redact,
  signal: AbortSignal,
): Promise<{ ok: boolean; detail: string }> {
  try {
    const response = await fetch(`${baseUrl}/models`, {
      headers: kind.authHeaders(key),
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(HEALTH_MS)]),
    })
    await response.body?.cancel()
    if (response.status === 401 || response.status === 403)
      return { ok: false, detail: `${baseUrl} refuses the key (HTTP ${response.status}).` }
    // A server without a list of models is still a server.
    if (response.ok || [404, 405, 501].includes(response.status)) return { ok: true, detail: `${baseUrl} answers.` }
    return { ok: false, detail: `${baseUrl} answers HTTP ${response.status}.` }
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? `: ${problemOf(error.cause)}` : ''
    return { ok: false, detail: redact(`${baseUrl} cannot be reached: ${problemOf(error)}${cause}`) }
  }
}
