import { type Json, parseJson } from '../../core/json.ts'
import { classOfWords, failureOf } from '../classify.ts'
import { type Finish, ProviderFailure, type RawEvent, type RawTokens } from '../guard.ts'
import { countOf, fieldsOf, listOf, wordOf } from '../json-fields.ts'
import type { GenerateRequest, ModelMessage } from '../port.ts'

/** What of the settings goes into each request. */
export interface ChatOptions {
  model: string
  contextTokens: number
  maxTokens: number
  temperature: number | undefined
  keepAlive: string | undefined
}

/** Body of `POST /api/chat`. */
export function chatBody(request: GenerateRequest, options: ChatOptions): { [key: string]: Json } {
  const { model, contextTokens, maxTokens, temperature, keepAlive } = options
  return {
    model,
    stream: true,
    messages: request.messages.flatMap(messageOf),
    ...(request.tools.length === 0
      ? {}
      : {
          tools: request.tools.map(({ name, description, input }) => ({
            type: 'function',
            function: { name, description, parameters: input },
          })),
        }),
    // With tools the model is free to choose between a call and an answer; the caller validates in any case.
    ...(request.schema !== undefined && request.tools.length === 0 ? { format: request.schema } : {}),
    options: {
      num_ctx: contextTokens,
      num_predict: Math.min(request.maxOutputTokens ?? maxTokens, maxTokens),
      ...(temperature === undefined ? {} : { temperature }),
    },
    // Without these it leaves out the oldest messages of a prompt that does not fit, and says nothing. Older servers do not know them.
    truncate: false,
    shift: false,
    ...(keepAlive === undefined ? {} : { keep_alive: keepAlive }),
  }
}

function messageOf(message: ModelMessage): Json[] {
  if (message.role === 'system' || message.role === 'user') return [{ role: message.role, content: message.text }]
  if (message.role === 'tool') return message.results.map((it) => ({ role: 'tool', tool_name: it.name, content: it.text }))
  if (message.text === '' && message.calls.length === 0) return []
  const calls = message.calls.map((it): Json => ({ function: { name: it.name, arguments: argumentsOf(it.input) } }))
  return [{ role: 'assistant', content: message.text, ...(calls.length === 0 ? {} : { tool_calls: calls }) }]
}

/** The server takes objects only; what the model gave instead is told back in one. */
function argumentsOf(input: Json): Json {
  return input !== null && typeof input === 'object' && !Array.isArray(input) ? input : { malformed: input }
}

/**
 * The events of one answer, from the lines of its stream. Throws what the server reports in the middle of it; a line that is no JSON and an end
 * without `done` are `bad_output`.
 */
export async function* eventsOf(lines: AsyncIterable<string>, turn: number): AsyncGenerator<RawEvent> {
  let calls = 0
  for await (const line of lines) {
    const said = fieldsOf(read(line))
    // Status 200 was sent long before: this is how it fails later.
    if (said['error'] !== undefined) throw reported(wordOf(said['error']) || JSON.stringify(said['error']))
    const { content, thinking, tool_calls: asked } = fieldsOf(said['message'])
    if (wordOf(thinking) !== '') yield { type: 'unseen', chars: wordOf(thinking).length }
    if (wordOf(content) !== '') yield { type: 'text', text: wordOf(content) }
    for (const call of listOf(asked)) {
      const { name, arguments: input = null } = fieldsOf(fieldsOf(call)['function'])
      yield { type: 'call', call: { id: wordOf(fieldsOf(call)['id']) || `call-${turn}-${calls}`, name: wordOf(name), input } }
      calls += 1
    }
    if (said['done'] === true) {
      yield {
        type: 'end',
        tokens: tokensOf(said['prompt_eval_count'], said['eval_count']),
        finish: finishOf(wordOf(said['done_reason']), calls),
      }
      return
    }
  }
  throw new ProviderFailure('bad_output', 'The stream ended without saying that it was finished.')
}

/** What it says of itself, whatever the words, is its own failure. */
function reported(problem: string): ProviderFailure {
  const kind = classOfWords(problem)
  return failureOf(kind === 'bad_output' || kind === 'crashed' ? 'server' : kind, problem)
}

function read(line: string): Json {
  try {
    return parseJson(line, 'a line of the stream')
  } catch {
    throw new ProviderFailure('bad_output', `The stream holds a line that is no JSON: ${line.slice(0, 80)}`)
  }
}

function tokensOf(input: Json | undefined, output: Json | undefined): RawTokens | null {
  const [read, written] = [countOf(input), countOf(output)]
  return read === null && written === null ? null : { input: read ?? 0, output: written ?? 0, cached: 0 }
}

function finishOf(reason: string, calls: number): Finish {
  if (calls > 0) return 'calls'
  if (reason === 'length') return 'length'
  // Servers of 2024 gave no reason.
  return reason === 'stop' || reason === '' ? 'stop' : 'other'
}
