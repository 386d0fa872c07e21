import type { ProviderErrorClass } from '../../models/port.ts'
import { classOf, problemIn } from './classify.ts'
import { flags } from './flags.ts'
import { costAt, type Fields, fieldsAt, listAt, numberAt, objectOf, textAt } from './line.ts'
import type { CliAdapter, CliEvent, CliReader, CliRequest } from './port.ts'
import { promptArgument } from './prompt-argument.ts'
import { type Calls, createCalls } from './tool-call.ts'

/**
 * Cline's command line. It leaves a process of its own running, also after success. The key goes by its file of settings, never by `-k`. It
 * cannot be kept from running commands: `--plan` runs them too, and without its own yes to everything it cannot even read.
 */
export const cline: CliAdapter = {
  kind: 'cline',
  binary: 'cline',
  tested: { from: '3.0.65', to: '3.0.65' },
  experimental: true,
  api: { baseUrl: 'https://api.openai.com', dialect: 'openai-chat', keyVariables: ['OPENAI_API_KEY'] },
  login: { paths: ['.cline/data/settings/providers.json'], hosts: ['api.cline.bot', 'app.cline.bot'] },
  // `--id` works for people at a terminal only.
  session: 'none',
  acp: { args: ['--acp'] },
  quirks: { ownSessions: true },
  unasked: ['.cline', '.clinerules/hooks'],
  command: (request) => ({
    args: flags(
      ['--json', '-c', request.cwd],
      request.endpoint !== null && ['-P', 'openai'],
      request.model !== null && ['-m', request.model],
      !request.write && ['--plan'],
      request.args,
      [promptArgument(request)],
    ),
    input: null,
    env: {},
    files: request.endpoint === null ? [] : [{ path: '.cline/data/settings/providers.json', text: JSON.stringify(settings(request)) }],
    secrets: {},
  }),
  reader: readCline,
}

function settings({ endpoint, model }: CliRequest) {
  const provider = 'openai-compatible'
  const one = { provider, apiKey: endpoint?.key, baseUrl: `${endpoint?.baseUrl}/v1`, model: model ?? 'default' }
  return {
    version: 1,
    lastUsedProvider: provider,
    providers: { [provider]: { settings: one, updatedAt: '2026-01-01T00:00:00.000Z', tokenSource: 'manual' } },
  }
}

interface State {
  session: string
  /** What its own error event said: the result has the text only. */
  class: ProviderErrorClass | null
  over: boolean
}

function readCline(): CliReader {
  const calls = createCalls()
  const state: State = { session: '', class: null, over: false }
  return {
    line(text, stream) {
      const it = stream === 'stdout' ? objectOf(text) : null
      return it ? output(it, calls, state) : []
    },
    exited: ({ code, stderr }) => [
      ...calls.left(),
      ...(state.over || code === 0 || stderr.trim() === '' ? [] : [failure(lastWords(stderr))]),
    ],
  }
}

function output(it: Fields, calls: Calls, state: State): CliEvent[] {
  if (it['type'] === 'hook_event') {
    const session = textAt(it, 'taskId')
    if (session === '' || session === state.session) return []
    state.session = session
    return [{ t: 'started', session }]
  }
  if (it['type'] === 'agent_event') return told(fieldsAt(it, 'event'), calls, state)
  return it['type'] === 'run_result' ? result(it, state) : []
}

function told(event: Fields, calls: Calls, state: State): CliEvent[] {
  const isCall = event['contentType'] === 'tool'
  const id = textAt(event, 'toolCallId')
  switch (event['type']) {
    case 'content_start':
      return isCall ? calls.begin(id, textAt(event, 'toolName'), event['input']) : []
    case 'content_end':
      if (isCall) return calls.end(id, succeeded(event), event['output'], textAt(event, 'toolName'))
      if (event['contentType'] === 'reasoning') return [{ t: 'thinking', text: textAt(event, 'text') }]
      return [{ t: 'text', text: textAt(event, 'text'), final: true }]
    case 'error':
      state.class = event['errorClass'] === 'auth' ? 'auth' : classOf(textAt(event, 'error.message'))
      return []
    default:
      return []
  }
}

function succeeded(event: Fields): boolean {
  if (textAt(event, 'error') !== '') return false
  return listAt(event, 'output').every((one) => fieldsAt({ one }, 'one')['success'] !== false)
}

function result(it: Fields, state: State): CliEvent[] {
  state.over = true
  const cached = numberAt(it, 'usage.cacheReadTokens')
  const written = numberAt(it, 'usage.cacheWriteTokens')
  const usage: CliEvent = {
    t: 'usage',
    scope: 'total',
    input: numberAt(it, 'usage.inputTokens'),
    output: numberAt(it, 'usage.outputTokens'),
    cached,
    written,
    ...costAt(it, 'usage.totalCost'),
  }
  const text = textAt(it, 'text')
  const reason = textAt(it, 'finishReason')
  if (reason === 'completed') return [usage, { t: 'success', text, turns: numberAt(it, 'iterations') }]
  if (/max|limit/i.test(reason)) return [usage, { t: 'limit', problem: `It stopped: ${reason}.` }]
  return [usage, failure(text || `It ended with "${reason}".`, state.class)]
}

/** Its errors on stderr are JSON lines. */
function lastWords(stderr: string): string {
  const told = stderr.split('\n').map((line) => textAt(objectOf(line) ?? undefined, 'message'))
  return told.findLast((it) => it !== '') ?? stderr
}

function failure(message: string, kind: ProviderErrorClass | null = null): CliEvent {
  return { t: 'error', class: kind ?? classOf(message), problem: problemIn(message) }
}
