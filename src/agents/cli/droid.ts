import { classOf, problemIn, waitIn } from './classify.ts'
import { flags } from './flags.ts'
import { type Fields, fieldsAt, numberAt, objectOf, textAt } from './line.ts'
import type { CliAdapter, CliEvent, CliReader, CliRequest } from './port.ts'
import { type Calls, createCalls } from './tool-call.ts'

/** Factory's droid. It wants a key of its maker, whatever its text, also where its requests go to us. */
export const droid: CliAdapter = {
  kind: 'droid',
  binary: 'droid',
  tested: { from: '0.215.0', to: '0.215.0' },
  experimental: true,
  api: { baseUrl: 'https://api.openai.com', dialect: 'openai-chat', keyVariables: ['OPENAI_API_KEY'] },
  login: { paths: ['.factory/auth.json', '.factory/auth.encrypted'], hosts: ['api.factory.ai', 'app.factory.ai'] },
  // With a key that is not its maker's it goes on with none: it ends at once, without a word.
  session: 'none',
  acp: { args: ['exec', '--output-format', 'acp'] },
  unasked: ['.factory'],
  command: (request) => ({
    args: flags(
      ['exec', '-o', 'stream-json', '--cwd', request.cwd],
      // Without a level it may only read.
      request.write && ['--auto', request.commands ? 'medium' : 'low'],
      !request.commands && ['--remove-tools', 'Execute'],
      modelOf(request),
      request.args,
    ),
    input: request.prompt,
    env: request.endpoint === null ? {} : { FACTORY_API_KEY: 'unused' },
    files: request.endpoint === null ? [] : [{ path: '.factory/settings.json', text: JSON.stringify(settings(request)) }],
    secrets: {},
  }),
  reader: readDroid,
}

function modelOf({ endpoint, model }: CliRequest): string[] {
  if (endpoint !== null) return ['-m', `custom:${model ?? 'default'}-0`]
  return model === null ? [] : ['-m', model]
}

function settings({ endpoint, model, maxTokens }: CliRequest) {
  const name = model ?? 'default'
  const at = { baseUrl: `${endpoint?.baseUrl}/v1`, apiKey: endpoint?.key, provider: 'generic-chat-completion-api' }
  return { customModels: [{ model: name, displayName: name, ...at, maxOutputTokens: maxTokens }] }
}

function readDroid(): CliReader {
  const calls = createCalls()
  let failed = false
  return {
    line(text, stream) {
      const it = stream === 'stdout' ? objectOf(text) : null
      if (!it) return []
      const events = output(it, calls)
      // What the command line adds to an error says nothing: the first one counts.
      const telling = events.filter((event) => event.t !== 'error' || !failed)
      failed ||= events.some((event) => event.t === 'error')
      return telling
    },
    exited: ({ code, stderr }) => [...calls.left(), ...(failed || code === 0 || stderr.trim() === '' ? [] : [failure(stderr)])],
  }
}

function output(it: Fields, calls: Calls): CliEvent[] {
  const id = textAt(it, 'id')
  switch (it['type']) {
    case 'system':
      return it['subtype'] === 'init'
        ? [{ t: 'started', session: textAt(it, 'session_id'), model: textAt(it, 'model').replace(/^custom:(.*)-\d+$/, '$1') }]
        : []
    case 'message':
      return it['role'] === 'assistant' ? [{ t: 'text', text: textAt(it, 'text'), final: true }] : []
    case 'tool_call':
      return calls.begin(id, textAt(it, 'toolName'), fieldsAt(it, 'parameters'))
    case 'tool_result':
      return calls.end(id, it['isError'] !== true, it['value'], textAt(it, 'toolId'))
    case 'error':
      return [failure(textAt(it, 'message'))]
    case 'completion':
      return [usage(it), { t: 'success', text: textAt(it, 'finalText'), turns: numberAt(it, 'numTurns') }]
    default:
      return []
  }
}

function failure(message: string): CliEvent {
  const wait = waitIn(message)
  return { t: 'error', class: classOf(message), problem: problemIn(message), ...(wait !== undefined && { retryAfterMs: wait }) }
}

function usage(it: Fields): CliEvent {
  const cached = numberAt(it, 'usage.cache_read_input_tokens')
  const written = numberAt(it, 'usage.cache_creation_input_tokens')
  const input = numberAt(it, 'usage.input_tokens') + cached + written
  return { t: 'usage', scope: 'total', input, output: numberAt(it, 'usage.output_tokens'), cached, written }
}
