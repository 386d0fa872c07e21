import type { Json } from '../../core/json.ts'
import { fieldsOf, listOf, wordOf } from '../json-fields.ts'
import { type Asked, type AskedPart, type Reply, type ServerDialect, serverEvent, textIn } from './dialect.ts'

const ERROR_TYPES = {
  auth: 'authentication_error',
  forbidden: 'permission_error',
  not_found: 'not_found_error',
  context_too_long: 'invalid_request_error',
  rate_limited: 'rate_limit_error',
  quota: 'rate_limit_error',
  server: 'api_error',
  unavailable: 'overloaded_error',
  overloaded: 'overloaded_error',
} as const

/** `POST /v1/messages`. */
export const anthropic: ServerDialect = {
  name: 'anthropic',
  streamType: 'text/event-stream',
  read,
  stream,
  whole: (reply) => message(reply, blocksOf(reply), usageOf(reply)),
  error: ({ kind, message: text }) => ({ type: 'error', error: { type: ERROR_TYPES[kind], message: text } }),
}

function read(body: Json): Asked {
  const { model, stream: streams, tools, system, messages } = fieldsOf(body)
  const parts: AskedPart[] = [{ kind: 'system', text: textIn(system) }]
  for (const it of listOf(messages)) {
    const { role, content } = fieldsOf(it)
    if (role !== 'user') continue
    for (const block of listOf(content)) if (fieldsOf(block)['type'] === 'tool_result') parts.push({ kind: 'result' })
    const text = textIn(content)
    if (text !== '') parts.push({ kind: 'user', text })
  }
  return {
    model: wordOf(model),
    stream: streams === true,
    tools: listOf(tools).map((it) => ({ name: wordOf(fieldsOf(it)['name']), schema: fieldsOf(it)['input_schema'] ?? {} })),
    parts,
  }
}

/** As the API counts: `input_tokens` without what the cache read or took. */
function usageOf({ usage }: Reply): { [key: string]: Json } {
  return {
    input_tokens: Math.max(0, usage.input - usage.cached - usage.written),
    cache_creation_input_tokens: usage.written,
    cache_read_input_tokens: usage.cached,
    output_tokens: usage.output,
  }
}

function blocksOf({ text, calls }: Reply): Json[] {
  return [
    ...(text === '' ? [] : [{ type: 'text', text }]),
    ...calls.map((it): Json => ({ type: 'tool_use', id: it.id, name: it.name, input: it.input })),
  ]
}

function reasonOf(reply: Reply): string {
  if (reply.refused) return 'refusal'
  return reply.calls.length > 0 ? 'tool_use' : 'end_turn'
}

function message(reply: Reply, content: Json[], usage: Json, reason: string | null = reasonOf(reply)): { [key: string]: Json } {
  const { id, model } = reply
  return { id: `msg_${id}`, type: 'message', role: 'assistant', model, content, stop_reason: reason, stop_sequence: null, usage }
}

function stream(reply: Reply): string[] {
  const begin = { type: 'message_start', message: message(reply, [], { ...usageOf(reply), output_tokens: 1 }, null) }
  const blocks = blocksOf(reply).flatMap((block, index) => {
    const { type, text, input } = fieldsOf(block)
    const empty = type === 'text' ? { type, text: '' } : { ...fieldsOf(block), input: {} }
    const delta =
      type === 'text' ? { type: 'text_delta', text: text ?? '' } : { type: 'input_json_delta', partial_json: JSON.stringify(input) }
    return [
      serverEvent({ type: 'content_block_start', index, content_block: empty as Json }, 'content_block_start'),
      serverEvent({ type: 'content_block_delta', index, delta }, 'content_block_delta'),
      serverEvent({ type: 'content_block_stop', index }, 'content_block_stop'),
    ]
  })
  const end = { type: 'message_delta', delta: { stop_reason: reasonOf(reply), stop_sequence: null }, usage: usageOf(reply) }
  return [
    serverEvent(begin, 'message_start'),
    ...blocks,
    serverEvent(end, 'message_delta'),
    serverEvent({ type: 'message_stop' }, 'message_stop'),
  ]
}
