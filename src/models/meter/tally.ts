import type { Json } from '../../core/json.ts'
import type { RawTokens } from '../guard.ts'
import { countOf, fieldsOf, listOf, wordOf } from '../json-fields.ts'
import type { MeterDialect } from './port.ts'

/** What is known of an answer by what has passed of it. Counts are replaced, never summed: providers repeat them. */
export interface Tally {
  tokens: RawTokens | null
  model: string | null
  /** It said that it was finished. */
  finished: boolean
  refused: boolean
  /** What it said went wrong, as JSON. */
  error: string | null
  /** Characters of the answer so far: what a provider that does not count is counted by. */
  chars: number
}

export function newTally(): Tally {
  return { tokens: null, model: null, finished: false, refused: false, error: null, chars: 0 }
}

/** Takes one event of a stream, or a whole answer, into account. */
export function tallyUp(tally: Tally, dialect: MeterDialect, event: Json): void {
  const { error, type } = fieldsOf(event)
  if (error !== undefined && error !== null) tally.error = JSON.stringify(error)
  READERS[dialect](tally, event, wordOf(type))
}

type Reader = (tally: Tally, event: Json, type: string) => void

const READERS: Record<MeterDialect, Reader> = {
  anthropic(tally, event, type) {
    const { message, usage, delta } = fieldsOf(event)
    const whole = type === 'message' ? fieldsOf(event) : fieldsOf(message)
    tally.model = wordOf(whole['model']) || tally.model
    tally.tokens = anthropicTokens(usage ?? whole['usage'], tally.tokens)
    const reason = wordOf(fieldsOf(delta)['stop_reason']) || wordOf(whole['stop_reason'])
    tally.chars +=
      lengthOf(fieldsOf(delta), ['text', 'partial_json', 'thinking']) + sizeOf(type === 'message' ? whole['content'] : undefined)
    tally.refused ||= reason === 'refusal'
    tally.finished ||= type === 'message_stop' || type === 'message'
  },

  'openai-responses'(tally, event, type) {
    const { response, output } = fieldsOf(event)
    const isWhole = fieldsOf(event)['object'] === 'response'
    tally.chars += lengthOf(fieldsOf(event), ['delta']) + sizeOf(isWhole ? output : undefined)
    const { model, usage, status, error } = fieldsOf(isWhole ? event : response)
    tally.model = wordOf(model) || tally.model
    tally.tokens = openaiTokens(usage, ['input_tokens', 'output_tokens', 'input_tokens_details']) ?? tally.tokens
    tally.refused ||= type === 'response.refusal.delta'
    tally.finished ||= type === 'response.completed' || type === 'response.incomplete' || (isWhole && status !== 'failed')
    if (status === 'failed' || type === 'error') tally.error = JSON.stringify(error ?? event)
  },

  'openai-chat'(tally, event) {
    const { model, usage, choices } = fieldsOf(event)
    tally.model = wordOf(model) || tally.model
    tally.tokens = openaiTokens(usage, ['prompt_tokens', 'completion_tokens', 'prompt_tokens_details']) ?? tally.tokens
    for (const it of listOf(choices)) {
      const { delta, message, finish_reason } = fieldsOf(it)
      const { tool_calls } = fieldsOf(delta)
      const calls = listOf(tool_calls).map((call) => fieldsOf(fieldsOf(call)['function']))
      const grown = calls.reduce((all, call) => all + lengthOf(call, ['name', 'arguments']), 0)
      tally.chars += lengthOf(fieldsOf(delta), ['content', 'reasoning_content', 'reasoning']) + grown + sizeOf(message)
      const reason = wordOf(finish_reason)
      tally.refused ||= reason === 'content_filter'
      tally.finished ||= reason !== ''
    }
  },

  google(tally, event) {
    const { modelVersion, usageMetadata, candidates, promptFeedback } = fieldsOf(event)
    tally.model = wordOf(modelVersion) || tally.model
    tally.tokens = googleTokens(usageMetadata) ?? tally.tokens
    for (const it of listOf(candidates))
      for (const part of listOf(fieldsOf(fieldsOf(it)['content'])['parts'])) tally.chars += partLength(part)
    const blocked = wordOf(fieldsOf(promptFeedback)['blockReason'])
    const reasons = [blocked, ...listOf(candidates).map((it) => wordOf(fieldsOf(it)['finishReason']))].filter((it) => it !== '')
    tally.refused ||= reasons.some((it) => it !== 'STOP' && it !== 'MAX_TOKENS' && it !== 'MALFORMED_FUNCTION_CALL')
    tally.finished ||= reasons.length > 0
  },
}

/** Each event may repeat some of the counts; `input_tokens` is without what the cache gave or took. */
function anthropicTokens(usage: Json | undefined, before: RawTokens | null): RawTokens | null {
  if (usage === undefined || usage === null) return before
  const { input_tokens, cache_read_input_tokens, cache_creation_input_tokens, output_tokens } = fieldsOf(usage)
  const cached = countOf(cache_read_input_tokens) ?? before?.cached ?? 0
  const written = countOf(cache_creation_input_tokens) ?? before?.written ?? 0
  const known = before === null ? 0 : before.input - before.cached - (before.written ?? 0)
  const fresh = countOf(input_tokens) ?? known
  return { input: fresh + cached + written, output: countOf(output_tokens) ?? before?.output ?? 0, cached, written }
}

function openaiTokens(usage: Json | undefined, [input, output, details]: readonly [string, string, string]): RawTokens | null {
  const fields = fieldsOf(usage)
  const read = countOf(fields[input])
  if (read === null) return null
  const cached = countOf(fieldsOf(fields[details])['cached_tokens']) ?? countOf(fields['prompt_cache_hit_tokens']) ?? 0
  return { input: read, output: countOf(fields[output]) ?? 0, cached }
}

function googleTokens(usage: Json | undefined): RawTokens | null {
  const fields = fieldsOf(usage)
  const read = countOf(fields['promptTokenCount'])
  if (read === null) return null
  return {
    input: read + (countOf(fields['toolUsePromptTokenCount']) ?? 0),
    output: (countOf(fields['candidatesTokenCount']) ?? 0) + (countOf(fields['thoughtsTokenCount']) ?? 0),
    cached: countOf(fields['cachedContentTokenCount']) ?? 0,
  }
}

function lengthOf(fields: ReturnType<typeof fieldsOf>, names: readonly string[]): number {
  return names.reduce((all, name) => all + wordOf(fields[name]).length, 0)
}

function partLength(part: Json): number {
  const { functionCall } = fieldsOf(part)
  return lengthOf(fieldsOf(part), ['text']) + sizeOf(functionCall)
}

/** Of what is no text: about what it has. */
function sizeOf(value: Json | undefined): number {
  return value === undefined ? 0 : JSON.stringify(value).length
}
