import type { Json } from '../../core/json.ts'
import { fieldsOf, listOf, wordOf } from '../json-fields.ts'
import { type Asked, type AskedPart, type Reply, type ServerDialect, serverEvent, textIn } from './dialect.ts'
import { openaiError } from './openai-error.ts'

/** `POST /v1/responses`. */
export const responses: ServerDialect = {
  name: 'openai-responses',
  streamType: 'text/event-stream',
  read,
  stream,
  whole: (reply) => response(reply, 'completed', items(reply)),
  error: openaiError,
}

function read(body: Json): Asked {
  const { model, stream: streams, tools, instructions, input } = fieldsOf(body)
  const parts: AskedPart[] = [{ kind: 'system', text: wordOf(instructions) }]
  if (typeof input === 'string') parts.push({ kind: 'user', text: input })
  for (const it of listOf(input)) {
    const { type, role, content } = fieldsOf(it)
    if (wordOf(type).endsWith('_output')) parts.push({ kind: 'result' })
    else if (role === 'user') parts.push({ kind: 'user', text: textIn(content) })
    else if (role === 'system' || role === 'developer') parts.push({ kind: 'system', text: textIn(content) })
  }
  return {
    model: wordOf(model),
    stream: streams === true,
    tools: listOf(tools)
      .map((it) => ({ name: wordOf(fieldsOf(it)['name']), schema: fieldsOf(it)['parameters'] ?? {} }))
      .filter((it) => it.name !== ''),
    parts,
  }
}

function items({ id, text, calls, refused }: Reply): { [key: string]: Json }[] {
  const content = refused ? { type: 'refusal', refusal: text } : { type: 'output_text', text, annotations: [] }
  return [
    ...(text === '' ? [] : [{ type: 'message', id: `msg_${id}`, status: 'completed', role: 'assistant', content: [content] }]),
    ...calls.map((it) => ({
      type: 'function_call',
      id: `fc_${it.id}`,
      call_id: it.id,
      name: it.name,
      arguments: JSON.stringify(it.input),
      status: 'completed',
    })),
  ]
}

function response({ id, model, usage }: Reply, status: string, output: Json[]): { [key: string]: Json } {
  const counted = {
    input_tokens: usage.input,
    input_tokens_details: { cached_tokens: usage.cached },
    output_tokens: usage.output,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: usage.input + usage.output,
  }
  return {
    id: `resp_${id}`,
    object: 'response',
    created_at: 0,
    status,
    model,
    output,
    error: null,
    incomplete_details: null,
    usage: status === 'completed' ? counted : null,
  }
}

function stream(reply: Reply): string[] {
  let number = 0
  const event = (type: string, more: { [key: string]: Json }): string => serverEvent({ type, sequence_number: number++, ...more }, type)
  const output = items(reply)
  return [
    event('response.created', { response: response(reply, 'in_progress', []) }),
    ...output.flatMap((item, at) => {
      const place = { output_index: at, item_id: item['id'] ?? '' }
      return [
        event('response.output_item.added', { output_index: at, item: emptied(item) }),
        ...growth(item, reply).map(([type, more]) => event(type, { ...place, ...more })),
        event('response.output_item.done', { output_index: at, item }),
      ]
    }),
    event('response.completed', { response: response(reply, 'completed', output) }),
  ]
}

function emptied(item: { [key: string]: Json }): Json {
  return item['type'] === 'message' ? { ...item, status: 'in_progress', content: [] } : { ...item, status: 'in_progress', arguments: '' }
}

function growth(item: { [key: string]: Json }, { text, refused }: Reply): [string, { [key: string]: Json }][] {
  if (item['type'] !== 'message') {
    const whole = item['arguments'] ?? ''
    return [
      ['response.function_call_arguments.delta', { delta: whole }],
      ['response.function_call_arguments.done', { arguments: whole }],
    ]
  }
  if (refused) return [['response.refusal.delta', { content_index: 0, delta: text }]]
  const part = { type: 'output_text', annotations: [] }
  return [
    ['response.content_part.added', { content_index: 0, part: { ...part, text: '' } }],
    ['response.output_text.delta', { content_index: 0, delta: text, logprobs: [] }],
    ['response.output_text.done', { content_index: 0, text, logprobs: [] }],
    ['response.content_part.done', { content_index: 0, part: { ...part, text } }],
  ]
}
