import type { WireDialect } from '../../src/agents/cli/port.ts'

/** A small agent in each dialect, for servers and proxies: sends a prompt with tools, answers every call with "ok", until the model only talks. */
export interface SessionOptions {
  url: string
  dialect: WireDialect | 'ollama'
  key?: string
  stream?: boolean
  prompt?: string
  tools?: readonly ClientTool[]
  /** Bytes of text put into the prompt. */
  padding?: number
  signal?: AbortSignal
  fetch?: typeof fetch
}

export interface ClientTool {
  name: string
  schema: { [key: string]: unknown }
}

export interface Turn {
  status: number
  text: string
  calls: { id: string; name: string; input: unknown }[]
  body: string
  headers: Headers
}

// biome-ignore format: a table
export const CLIENT_TOOLS: readonly ClientTool[] = [
  { name: 'Read', schema: { type: 'object', properties: { file_path: { type: 'string' }, offset: { type: 'number' } }, required: ['file_path'] } },
  { name: 'Write', schema: { type: 'object', properties: { file_path: { type: 'string' }, content: { type: 'string' } }, required: ['file_path', 'content'] } },
  { name: 'Edit', schema: { type: 'object', properties: { file_path: { type: 'string' }, old_string: { type: 'string' }, new_string: { type: 'string' } }, required: ['file_path', 'old_string', 'new_string'] } },
  { name: 'Bash', schema: { type: 'object', properties: { command: { type: 'string' }, description: { type: 'string' } }, required: ['command', 'description'] } },
]

/** Plays a whole session; the turns in order. Ends at the first turn without calls, or with another status than 200. */
export async function playSession(options: SessionOptions): Promise<Turn[]> {
  const wire = WIRES[options.dialect]
  const turns: Turn[] = []
  const prompt = `${options.prompt ?? 'Fix it.'}${'x'.repeat(options.padding ?? 0)}`
  for (let step = 0; step < 20; step++) {
    const turn = await ask(options, wire.body(prompt, turns, options.tools ?? CLIENT_TOOLS, options.stream ?? true))
    turns.push(turn)
    if (turn.status !== 200 || turn.calls.length === 0) return turns
  }
  throw new Error('the session does not end')
}

async function ask(
  { url, dialect, key = '', stream = true, signal, fetch: fetcher = fetch }: SessionOptions,
  body: unknown,
): Promise<Turn> {
  const wire = WIRES[dialect]
  const response = await fetcher(`${url}${wire.path(stream)}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...wire.auth(key) },
    body: JSON.stringify(body),
    ...(signal ? { signal } : {}),
  })
  const text = await response.text()
  const said = response.status === 200 ? wire.read(stream ? eventsIn(text) : [JSON.parse(text)]) : { text: '', calls: [] }
  return { status: response.status, body: text, headers: response.headers, ...said }
}

function eventsIn(text: string): Loose[] {
  return text
    .split('\n')
    .map((line) => line.replace(/^data: /, ''))
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
}

// oxlint-disable-next-line no-explicit-any -- answers of five APIs, read by what the tests know of them
type Loose = any
type Said = Pick<Turn, 'text' | 'calls'>

interface Wire {
  path(stream: boolean): string
  auth(key: string): Record<string, string>
  body(prompt: string, turns: readonly Turn[], tools: readonly ClientTool[], stream: boolean): unknown
  read(events: Loose[]): Said
}

const bearer = (key: string): Record<string, string> => (key === '' ? {} : { authorization: `Bearer ${key}` })

const WIRES: Record<WireDialect | 'ollama', Wire> = {
  anthropic: {
    path: () => '/v1/messages?beta=true',
    auth: (key) => ({ 'anthropic-version': '2023-06-01', 'x-api-key': key }),
    body: (prompt, turns, tools, stream) => ({
      model: 'scripted',
      max_tokens: 1000,
      stream,
      tools: tools.map((it) => ({ name: it.name, description: '', input_schema: it.schema })),
      messages: [
        { role: 'user', content: [{ type: 'text', text: prompt }] },
        ...turns.flatMap((it) => [
          { role: 'assistant', content: it.calls.map(({ id, name, input }) => ({ type: 'tool_use', id, name, input })) },
          { role: 'user', content: it.calls.map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: 'ok' })) },
        ]),
      ],
    }),
    read(events) {
      const whole = events[0].type === 'message' ? events[0].content : []
      const texts = events.map((it) => (it.delta?.type === 'text_delta' ? it.delta.text : '')).join('')
      const begun = events.filter((it) => it.type === 'content_block_start' && it.content_block.type === 'tool_use')
      const inputs = events.filter((it) => it.delta?.type === 'input_json_delta').map((it) => JSON.parse(it.delta.partial_json))
      return {
        text: texts + whole.map((it: Loose) => it.text ?? '').join(''),
        calls: [
          ...begun.map((it, at) => ({ id: it.content_block.id, name: it.content_block.name, input: inputs[at] })),
          ...whole.filter((it: Loose) => it.type === 'tool_use').map(({ id, name, input }: Loose) => ({ id, name, input })),
        ],
      }
    },
  },
  'openai-responses': {
    path: () => '/v1/responses',
    auth: bearer,
    body: (prompt, turns, tools, stream) => ({
      model: 'scripted',
      stream,
      instructions: 'You code.',
      tools: tools.map((it) => ({ type: 'function', name: it.name, parameters: it.schema })),
      input: [
        { type: 'message', role: 'user', content: [{ type: 'input_text', text: prompt }] },
        ...turns.flatMap((it) =>
          it.calls.flatMap(({ id, name, input }) => [
            { type: 'function_call', call_id: id, name, arguments: JSON.stringify(input) },
            { type: 'function_call_output', call_id: id, output: 'ok' },
          ]),
        ),
      ],
    }),
    read(events) {
      const output: Loose[] = events.findLast((it) => it.type === 'response.completed')?.response.output ?? events[0].output ?? []
      return {
        text: output
          .flatMap((it) => it.content ?? [])
          .map((it) => it.text ?? it.refusal)
          .join(''),
        calls: output
          .filter((it) => it.type === 'function_call')
          .map((it) => ({ id: it.call_id, name: it.name, input: JSON.parse(it.arguments) })),
      }
    },
  },
  'openai-chat': {
    path: () => '/v1/chat/completions',
    auth: bearer,
    body: (prompt, turns, tools, stream) => chatBody(prompt, turns, tools, stream, JSON.stringify),
    read(events) {
      const deltas = events.map((it) => it.choices[0]?.delta ?? it.choices[0]?.message ?? {})
      return {
        text: deltas.map((it) => it.content ?? '').join(''),
        calls: deltas
          .flatMap((it) => it.tool_calls ?? [])
          .map((it) => ({ id: it.id, name: it.function.name, input: JSON.parse(it.function.arguments) })),
      }
    },
  },
  google: {
    path: (stream) => `/v1beta/models/scripted:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
    auth: (key) => ({ 'x-goog-api-key': key }),
    body: (prompt, turns, tools) => ({
      tools: [{ functionDeclarations: tools.map((it) => ({ name: it.name, parametersJsonSchema: it.schema })) }],
      contents: [
        { role: 'user', parts: [{ text: prompt }] },
        ...turns.flatMap((it) => [
          { role: 'model', parts: it.calls.map(({ id, name, input }) => ({ functionCall: { id, name, args: input } })) },
          { role: 'user', parts: it.calls.map(({ id, name }) => ({ functionResponse: { id, name, response: { output: 'ok' } } })) },
        ]),
      ],
    }),
    read(events) {
      const parts: Loose[] = events.flatMap((it) => it.candidates[0].content.parts)
      return {
        text: parts.map((it) => it.text ?? '').join(''),
        calls: parts.filter((it) => it.functionCall).map(({ functionCall: { id, name, args } }) => ({ id, name, input: args })),
      }
    },
  },
  ollama: {
    path: () => '/api/chat',
    auth: bearer,
    body: (prompt, turns, tools, stream) => chatBody(prompt, turns, tools, stream, (it) => it),
    read(events) {
      return {
        text: events.map((it) => it.message.content).join(''),
        calls: events
          .flatMap((it) => it.message.tool_calls ?? [])
          .map((it, at) => ({ id: String(at), name: it.function.name, input: it.function.arguments })),
      }
    },
  },
}

function chatBody(
  prompt: string,
  turns: readonly Turn[],
  tools: readonly ClientTool[],
  stream: boolean,
  pack: (input: unknown) => unknown,
) {
  return {
    model: 'scripted',
    stream,
    ...(stream ? { stream_options: { include_usage: true } } : {}),
    tools: tools.map((it) => ({ type: 'function', function: { name: it.name, parameters: it.schema } })),
    messages: [
      { role: 'user', content: prompt },
      ...turns.flatMap((it) => [
        {
          role: 'assistant',
          content: it.text,
          tool_calls: it.calls.map(({ id, name, input }) => ({ id, type: 'function', function: { name, arguments: pack(input) } })),
        },
        ...it.calls.map(({ id }) => ({ role: 'tool', tool_call_id: id, content: 'ok' })),
      ]),
    ],
  }
}
