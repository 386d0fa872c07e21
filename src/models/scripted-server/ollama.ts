import type { Json } from '../../core/json.ts'
import { fieldsOf, wordOf } from '../json-fields.ts'
import { functionsIn, partsOf } from './chat.ts'
import type { Reply, ServerDialect } from './dialect.ts'

const TIME = '2026-01-01T00:00:00Z'

/** `POST /api/chat`, one JSON object a line. */
export const ollama: ServerDialect = {
  name: 'ollama',
  streamType: 'application/x-ndjson',
  read(body) {
    const { model, stream, tools, messages } = fieldsOf(body)
    return { model: wordOf(model), stream: stream !== false, tools: functionsIn(tools), parts: partsOf(messages) }
  },
  stream(reply) {
    const said = { model: reply.model, created_at: TIME, message: messageOf(reply), done: false }
    const empty = { role: 'assistant', content: '' }
    return [`${JSON.stringify(said)}\n`, `${JSON.stringify({ ...fieldsOf(whole(reply)), message: empty })}\n`]
  },
  whole,
  error: ({ message }) => ({ error: message }),
}

function messageOf({ text, calls }: Reply): { [key: string]: Json } {
  const asked = calls.map((it): Json => ({ function: { name: it.name, arguments: it.input } }))
  return { role: 'assistant', content: text, ...(asked.length === 0 ? {} : { tool_calls: asked }) }
}

function whole(reply: Reply): Json {
  const { model, usage } = reply
  return {
    model,
    created_at: TIME,
    message: messageOf(reply),
    done: true,
    done_reason: 'stop',
    total_duration: 1000,
    load_duration: 1000,
    prompt_eval_count: usage.input,
    eval_count: usage.output,
  }
}

/** What it says of a model. */
export function shownModel(contextTokens: number): Json {
  return {
    details: { family: 'scripted' },
    model_info: { 'general.architecture': 'scripted', 'scripted.context_length': contextTokens },
    capabilities: ['completion', 'tools'],
  }
}
