/** What a dialect reports as used. `input` includes `cached`. */
export interface Tokens {
  input: number
  output: number
  cached: number
}

export type DialectEnd = 'stop' | 'calls' | 'refusal'

/** How one API writes a stream: each method gives the bytes of one thing said. */
export interface Dialect {
  /** Of the stream, where it is no event stream. */
  type?: string
  /** A sign of life that says nothing. */
  alive?: string
  begin(): string
  text(piece: string): string
  call(name: string, args: string): string
  end(how: DialectEnd, usage: Tokens | null): string
  error(problem: string): string
}

export function dialectOf(path: string): Dialect {
  if (path.includes('/chat/completions')) return chat()
  if (path.includes('/messages')) return messages()
  if (path.includes('/responses')) return responses()
  if (path.endsWith('/api/chat')) return ollama()
  return generateContent()
}

function data(value: unknown): string {
  return `data: ${JSON.stringify(value)}\n\n`
}

function named(value: { type: string }): string {
  return `event: ${value.type}\n${data(value)}`
}

/** OpenAI chat completions. */
function chat(): Dialect {
  const chunk = (delta: unknown, finish: string | null = null) =>
    data({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })
  return {
    begin: () => chunk({ role: 'assistant', content: '' }),
    text: (content) => chunk({ content }),
    call: (name, args) => {
      const half = Math.ceil(args.length / 2)
      const first = chunk({
        tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name, arguments: args.slice(0, half) } }],
      })
      return first + chunk({ tool_calls: [{ index: 0, function: { arguments: args.slice(half) } }] })
    },
    end: (how, usage) => {
      const finish = chunk({}, { stop: 'stop', calls: 'tool_calls', refusal: 'content_filter' }[how])
      const counted = usage && {
        prompt_tokens: usage.input,
        completion_tokens: usage.output,
        total_tokens: usage.input + usage.output,
        prompt_tokens_details: { cached_tokens: usage.cached },
      }
      return `${finish}${counted ? data({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [], usage: counted }) : ''}data: [DONE]\n\n`
    },
    error: (message) => data({ error: { message, type: 'server_error', code: 'server_error' } }),
  }
}

/** Anthropic messages. */
function messages(): Dialect {
  let block = -1
  let open = false
  const close = () => {
    if (!open) return ''
    open = false
    return named({ type: 'content_block_stop', ...at() })
  }
  const at = () => ({ index: block })
  return {
    begin: () =>
      named({
        type: 'message_start',
        ...{
          message: { id: 'm1', type: 'message', role: 'assistant', model: 'm', content: [], usage: { input_tokens: 0, output_tokens: 0 } },
        },
      }),
    text: (text) => {
      const start = open
        ? ''
        : ((block += 1), (open = true), named({ type: 'content_block_start', ...at(), ...{ content_block: { type: 'text', text: '' } } }))
      return start + named({ type: 'content_block_delta', ...at(), ...{ delta: { type: 'text_delta', text } } })
    },
    call: (name, args) => {
      const before = close()
      block += 1
      open = true
      const start = named({
        type: 'content_block_start',
        ...at(),
        ...{ content_block: { type: 'tool_use', id: 'call_1', name, input: {} } },
      })
      return (
        before +
        start +
        named({ type: 'content_block_delta', ...at(), ...{ delta: { type: 'input_json_delta', partial_json: args } } }) +
        close()
      )
    },
    end: (how, usage) => {
      const reason = { stop: 'end_turn', calls: 'tool_use', refusal: 'refusal' }[how]
      const counted = {
        input_tokens: usage ? usage.input - usage.cached : 0,
        output_tokens: usage?.output ?? 0,
        cache_read_input_tokens: usage?.cached ?? 0,
      }
      const delta = named({ type: 'message_delta', ...{ delta: { stop_reason: reason, stop_sequence: null }, usage: counted } })
      return close() + delta + named({ type: 'message_stop' })
    },
    error: (message) => named({ type: 'error', ...{ error: { type: 'overloaded_error', message } } }),
  }
}

/** OpenAI responses. */
function responses(): Dialect {
  let open = false
  const item = (status: string) => ({ type: 'message', id: 'msg_1', status, role: 'assistant', content: [] })
  const close = () => {
    if (!open) return ''
    open = false
    return named({ type: 'response.output_item.done', ...{ output_index: 0, item: item('completed') } })
  }
  const response = (over: object) => ({ response: { id: 'r1', object: 'response', created_at: 1, model: 'm', output: [], ...over } })
  return {
    begin: () => named({ type: 'response.created', ...response({ status: 'in_progress' }) }),
    text: (delta) => {
      const start = open
        ? ''
        : ((open = true), named({ type: 'response.output_item.added', ...{ output_index: 0, item: item('in_progress') } }))
      return start + named({ type: 'response.output_text.delta', ...{ item_id: 'msg_1', output_index: 0, content_index: 0, delta } })
    },
    call: (name, args) => {
      const call = { type: 'function_call', id: 'fc_1', call_id: 'call_1', name, status: 'completed', arguments: args }
      const added = named({ type: 'response.output_item.added', ...{ output_index: 1, item: { ...call, arguments: '' } } })
      const delta = named({ type: 'response.function_call_arguments.delta', ...{ item_id: 'fc_1', output_index: 1, delta: args } })
      return close() + added + delta + named({ type: 'response.output_item.done', ...{ output_index: 1, item: call } })
    },
    end: (how, usage) => {
      const counted = usage && {
        input_tokens: usage.input,
        input_tokens_details: { cached_tokens: usage.cached },
        output_tokens: usage.output,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: usage.input + usage.output,
      }
      const zero = { input_tokens: 0, output_tokens: 0, total_tokens: 0 }
      const refused = how === 'refusal'
      const over = { usage: counted ?? zero, incomplete_details: refused ? { reason: 'content_filter' } : null }
      const type = refused ? 'response.incomplete' : 'response.completed'
      return close() + named({ type, ...response({ status: refused ? 'incomplete' : 'completed', ...over }) })
    },
    error: (message) =>
      named({ type: 'error', ...{ sequence_number: 1, error: { type: 'server_error', code: 'server_error', message, param: null } } }),
  }
}

/** Google generateContent. */
function generateContent(): Dialect {
  const candidate = (parts: unknown[], finish?: string) => ({
    candidates: [{ content: { role: 'model', parts }, index: 0, ...(finish === undefined ? {} : { finishReason: finish }) }],
  })
  return {
    begin: () => '',
    text: (text) => data(candidate([{ text }])),
    call: (name, args) => data(candidate([{ functionCall: { name, args: safeParse(args) }, thoughtSignature: 'signature-1' }])),
    end: (how, usage) => {
      const counted = usage && {
        promptTokenCount: usage.input,
        candidatesTokenCount: usage.output,
        totalTokenCount: usage.input + usage.output,
        cachedContentTokenCount: usage.cached,
      }
      return data({ ...candidate([], how === 'refusal' ? 'SAFETY' : 'STOP'), ...(counted ? { usageMetadata: counted } : {}) })
    },
    error: (message) => data({ error: { code: 503, status: 'UNAVAILABLE', message } }),
  }
}

/** Ollama's own protocol. */
function ollama(): Dialect {
  const line = (value: object) => `${JSON.stringify({ model: 'm', created_at: '2030-01-01T00:00:00Z', ...value })}\n`
  const said = (content: string) => line({ message: { role: 'assistant', content }, done: false })
  return {
    type: 'application/x-ndjson',
    alive: '\n',
    begin: () => '',
    text: said,
    call: (name, args) =>
      line({ message: { role: 'assistant', content: '', tool_calls: [{ function: { name, arguments: safeParse(args) } }] }, done: false }),
    end: (how, usage) =>
      (how === 'refusal' ? said('I cannot help with that.') : '') +
      line({
        message: { role: 'assistant', content: '' },
        done: true,
        done_reason: 'stop',
        ...(usage ? { prompt_eval_count: usage.input, eval_count: usage.output } : {}),
      }),
    error: (error) => line({ error }),
  }
}

/** This API sends objects, so there is no way to send broken ones. */
function safeParse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return { text }
  }
}
