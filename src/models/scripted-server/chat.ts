import type { Json } from '../../core/json.ts'
import { fieldsOf, listOf, wordOf } from '../json-fields.ts'
import { type Asked, type AskedPart, type AskedTool, type Reply, type ServerDialect, serverEvent, textIn } from './dialect.ts'
import { openaiError } from './openai-error.ts'

/** `POST /v1/chat/completions`. */
export const chat: ServerDialect = {
  name: 'openai-chat',
  streamType: 'text/event-stream',
  read,
  stream,
  whole,
  error: openaiError,
}

function read(body: Json): Asked {
  const { model, stream: streams, tools, messages } = fieldsOf(body)
  return { model: wordOf(model), stream: streams === true, tools: functionsIn(tools), parts: partsOf(messages) }
}

/** Messages of this API and of Ollama's. */
export function partsOf(messages: Json | undefined): AskedPart[] {
  return listOf(messages).flatMap((it): AskedPart[] => {
    const { role, content } = fieldsOf(it)
    if (role === 'tool') return [{ kind: 'result' }]
    if (role === 'user') return [{ kind: 'user', text: textIn(content) }]
    return role === 'system' || role === 'developer' ? [{ kind: 'system', text: textIn(content) }] : []
  })
}

export function functionsIn(tools: Json | undefined): AskedTool[] {
  return listOf(tools)
    .map((it) => fieldsOf(fieldsOf(it)['function']))
    .map((it) => ({ name: wordOf(it['name']), schema: it['parameters'] ?? {} }))
    .filter((it) => it.name !== '')
}

function usageOf({ usage }: Reply): Json {
  return {
    prompt_tokens: usage.input,
    completion_tokens: usage.output,
    total_tokens: usage.input + usage.output,
    prompt_tokens_details: { cached_tokens: usage.cached },
  }
}

function reasonOf({ refused, calls }: Reply): string {
  if (refused) return 'content_filter'
  return calls.length > 0 ? 'tool_calls' : 'stop'
}

function callsOf({ calls }: Reply): { [key: string]: Json }[] {
  return calls.map((it) => ({ id: it.id, type: 'function', function: { name: it.name, arguments: JSON.stringify(it.input) } }))
}

function whole(reply: Reply): Json {
  const { id, model, text, calls } = reply
  const message = { role: 'assistant', content: text === '' ? null : text, ...(calls.length === 0 ? {} : { tool_calls: callsOf(reply) }) }
  const choices = [{ index: 0, message, finish_reason: reasonOf(reply) }]
  return { id: `chatcmpl_${id}`, object: 'chat.completion', created: 0, model, choices, usage: usageOf(reply) }
}

function stream(reply: Reply): string[] {
  const { id, model, text } = reply
  const head = { id: `chatcmpl_${id}`, object: 'chat.completion.chunk', created: 0, model }
  const piece = (delta: Json, reason: string | null = null): string =>
    serverEvent({ ...head, choices: [{ index: 0, delta, finish_reason: reason }] })
  return [
    piece({ role: 'assistant', content: '' }),
    ...(text === '' ? [] : [piece({ content: text })]),
    ...callsOf(reply).map((it, index) => piece({ tool_calls: [{ index, ...it }] })),
    piece({}, reasonOf(reply)),
    serverEvent({ ...head, choices: [], usage: usageOf(reply) }),
    'data: [DONE]\n\n',
  ]
}
