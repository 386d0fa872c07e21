import { classOf, problemIn, waitIn } from './classify.ts'
import { flags } from './flags.ts'
import { at, type Fields, fieldsAt, objectOf, statusAt, textAt } from './line.ts'
import type { CliAdapter, CliEvent, CliReader, CliRequest } from './port.ts'
import { type Calls, createCalls, targetOf } from './tool-call.ts'

/** GitHub's Copilot CLI. It tells no tokens. */
export const copilot: CliAdapter = {
  kind: 'copilot',
  binary: 'copilot',
  tested: { from: '1.0.102', to: '1.0.102' },
  experimental: false,
  api: { baseUrl: 'https://api.openai.com', dialect: 'openai-chat', keyVariables: ['COPILOT_PROVIDER_API_KEY', 'OPENAI_API_KEY'] },
  login: {
    paths: ['.copilot/config.json'],
    hosts: [
      'api.github.com',
      'api.githubcopilot.com',
      'api.individual.githubcopilot.com',
      'api.business.githubcopilot.com',
      'api.enterprise.githubcopilot.com',
    ],
  },
  session: 'ours',
  acp: { args: ['--acp'], modelFlag: '--model' },
  command: (request) => ({
    args: flags(
      ['--output-format', 'json', ...permissions(request), '--no-auto-update', '--disable-builtin-mcps'],
      request.endpoint === null && request.model !== null && ['--model', request.model],
      request.resume ? [`--resume=${request.session}`] : ['--session-id', request.session],
      request.args,
    ),
    input: request.prompt,
    env:
      request.endpoint === null
        ? {}
        : {
            COPILOT_OFFLINE: 'true',
            COPILOT_PROVIDER_BASE_URL: `${request.endpoint.baseUrl}/v1`,
            COPILOT_MODEL: request.model ?? 'default',
          },
    files: [],
    secrets: request.endpoint === null ? {} : { COPILOT_PROVIDER_API_KEY: request.endpoint.key },
  }),
  reader: readCopilot,
}

/** What needs a yes and gets none is refused; what is refused here is refused whatever else allows it. */
function permissions({ write, commands }: CliRequest): string[] {
  return flags(['--allow-all-tools'], !commands && ['--deny-tool=shell'], !write && ['--deny-tool=write'])
}

function readCopilot(): CliReader {
  const calls = createCalls()
  const state: State = { last: '', failed: false, failure: null, inputs: new Map() }
  return {
    line(text, stream) {
      const it = stream === 'stdout' ? objectOf(text) : null
      return it ? output(it, fieldsAt(it, 'data'), calls, state) : []
    },
    exited: ({ code }) => [...calls.left(), ...(code !== 0 && !state.failed && state.failure ? [state.failure] : [])],
  }
}

interface State {
  last: string
  failed: boolean
  /** The last call of the model that failed, should nothing else say why it ended. */
  failure: Extract<CliEvent, { t: 'error' }> | null
  /** What calls under way are about. */
  inputs: Map<string, { tool: string; target: string }>
}

function output(it: Fields, data: Fields, calls: Calls, state: State): CliEvent[] {
  const id = textAt(data, 'toolCallId')
  const name = textAt(data, 'toolName')
  switch (it['type']) {
    case 'assistant.message':
      state.last = textAt(data, 'content') || state.last
      return textAt(data, 'content') === '' ? [] : [{ t: 'text', text: textAt(data, 'content'), final: true }]
    case 'assistant.reasoning':
      return [{ t: 'thinking', text: textAt(data, 'content') }]
    case 'session.tools_updated':
      return textAt(data, 'model') === '' ? [] : [{ t: 'started', model: textAt(data, 'model') }]
    case 'tool.execution_start':
      state.inputs.set(id, { tool: name, target: targetOf(data['arguments']) })
      return calls.begin(id, name, data['arguments'])
    case 'tool.execution_complete':
      return ended(id, data, calls, state)
    case 'model.call_failure': {
      const message = textAt(data, 'errorMessage')
      const { t: _, class: kind, ...rest } = failure(data, textAt(objectOf(message) ?? undefined, 'message') || message)
      state.failure = { t: 'error', class: kind, ...rest }
      return [{ t: 'retry', class: kind ?? (rest.status === undefined ? 'network' : 'server'), ...rest }]
    }
    case 'session.error':
      state.failed = true
      return [failure(data, textAt(data, 'message'))]
    case 'result':
      return result(it, state)
    default:
      return []
  }
}

function ended(id: string, data: Fields, calls: Calls, state: State): CliEvent[] {
  const events = calls.end(id, data['success'] === true, at(data, 'result.content') ?? textAt(data, 'error.message'))
  const call = state.inputs.get(id)
  state.inputs.delete(id)
  return textAt(data, 'error.code') === 'denied' && call ? [...events, { t: 'denied', ...call }] : events
}

function failure(data: Fields, message: string): Extract<CliEvent, { t: 'error' }> {
  const status = statusAt(data, 'statusCode')
  const wait = waitIn(message)
  return {
    t: 'error',
    class: classOf(message, status),
    problem: problemIn(message),
    ...(status !== undefined && { status }),
    ...(wait !== undefined && { retryAfterMs: wait }),
  }
}

function result(it: Fields, { last, failed }: State): CliEvent[] {
  const started: CliEvent = { t: 'started', session: textAt(it, 'sessionId') }
  return it['exitCode'] === 0 && !failed ? [started, { t: 'success', text: last }] : [started]
}
