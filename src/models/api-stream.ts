import { type FinishReason, jsonSchema, Output, streamText, type ToolSet, tool } from 'ai'
import type { Json } from '../core/json.ts'
import type { ProviderSettings } from '../core/settings.ts'
import { countedFetch } from './counted-fetch.ts'
import type { Endpoint } from './endpoint.ts'
import { grammarOf } from './grammar.ts'
import { type Finish, ProviderFailure, type RawEvent, type RawTokens } from './guard.ts'
import { headersFor } from './headers.ts'
import type { ApiKind } from './kind.ts'
import { limitsFrom } from './limits.ts'
import { toAi } from './messages.ts'
import type { GenerateRequest, ToolCall } from './port.ts'
import { rootOf, type Server } from './server.ts'
import { watchedFetch } from './watched-fetch.ts'

// Warnings about unsupported settings would go to the terminal of whoever runs us.
globalThis.AI_SDK_LOG_WARNINGS = false

/** One request to an API. */
export interface ApiCall extends Endpoint {
  name: string
  kind: ApiKind
  settings: ProviderSettings
  fetch: typeof fetch
  request: GenerateRequest
  /** What is known of an openai-compatible server. */
  server: Server | null
}

/** Grammar and tools exclude each other on many servers; the caller validates in any case. */
export function holdsToSchema(request: GenerateRequest): request is GenerateRequest & { schema: { [key: string]: Json } } {
  return request.schema !== undefined && request.tools.length === 0
}

/** Fields beyond the dialect, and what the prompt must say for want of them. */
function extrasOf({ request, server }: ApiCall): { more: { [key: string]: Json }; asked: string | null; output: boolean } {
  // Its default; said, so that a server started otherwise does not read all turns again.
  const more: { [key: string]: Json } = server?.facts?.dialect === 'llama-server' ? { cache_prompt: true } : {}
  if (!holdsToSchema(request)) return { more, asked: null, output: false }
  const way = server?.schemaWay(request.schema) ?? 'response_format'
  if (way === 'response_format') return { more, asked: null, output: true }
  const asked = `Answer with one JSON value and nothing else. It must fit this JSON Schema:\n${JSON.stringify(request.schema)}`
  return { more: way === 'asked' ? more : { ...more, [way]: grammarOf(request.schema) }, asked, output: false }
}

/** The events of one request; throws whatever the `ai` package throws. */
export async function* streamOf(call: ApiCall, signal: AbortSignal, alive: () => void): AsyncGenerator<RawEvent> {
  const { kind, settings, baseUrl, model, key, name, request, server } = call
  const { more, asked, output } = extrasOf(call)
  const watched = watchedFetch(call.fetch, alive, limitsFrom(settings).outputChars)
  const { facts } = server ?? { facts: null }
  const fetch =
    facts?.dialect === 'llama-server' && facts.contextTokens !== null
      ? countedFetch(watched, rootOf(baseUrl), facts.contextTokens, Math.min(settings.max_tokens, Math.floor(facts.contextTokens / 4)))
      : watched
  const { instructions, messages } = toAi(asked === null ? request.messages : [...request.messages, { role: 'system', text: asked }], kind)
  const result = streamText({
    model: kind.model({ baseUrl, model, key, name, fetch, more }),
    ...(instructions.length === 0 ? {} : { instructions }),
    messages,
    ...(request.tools.length === 0 ? {} : { tools: toolsOf(request) }),
    ...(output && request.schema !== undefined ? { output: Output.object({ schema: jsonSchema(request.schema) }) } : {}),
    maxOutputTokens: Math.min(request.maxOutputTokens ?? settings.max_tokens, settings.max_tokens),
    ...(settings.temperature === undefined ? {} : { temperature: settings.temperature }),
    headers: headersFor(settings.headers, request.origin),
    abortSignal: signal,
    // Retries are ours, in `retry.ts`.
    maxRetries: 0,
    streamRetries: 0,
    ...(kind.options === undefined ? {} : { providerOptions: kind.options(request.origin) }),
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
