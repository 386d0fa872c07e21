import { classOf, problemIn } from './classify.ts'
import { flags } from './flags.ts'
import { costAt, type Fields, fieldsAt, listAt, numberAt, objectOf, textAt } from './line.ts'
import type { CliAdapter, CliEvent, CliReader, CliRequest } from './port.ts'
import { type Calls, createCalls } from './tool-call.ts'

/** pi. It ends with exit code 0 whatever happened. */
export const pi: CliAdapter = {
  kind: 'pi',
  binary: 'pi',
  tested: { from: '0.73.1', to: '0.73.1' },
  experimental: true,
  api: { baseUrl: 'https://api.openai.com', dialect: 'openai-chat', keyVariables: ['OPENAI_API_KEY'] },
  // The host of the provider that the user is logged in to is named by `hosts`.
  login: { paths: ['.pi/agent/auth.json'], hosts: [] },
  session: 'theirs',
  acp: null,
  quirks: { exitZeroAlways: true },
  command: (request) => ({
    args: flags(
      ['-p', '--mode', 'json'],
      request.endpoint !== null && ['--provider', 'reeve'],
      (request.model !== null || request.endpoint !== null) && ['--model', request.model ?? 'default'],
      // Extensions of the project are programs.
      ['--offline', '--no-extensions', '--tools', tools(request)],
      request.resume && ['--session', request.session],
      request.args,
    ),
    input: request.prompt,
    env: { PI_OFFLINE: '1', PI_TELEMETRY: '0' },
    files: request.endpoint === null ? [] : [{ path: '.pi/agent/models.json', text: JSON.stringify(models(request)) }],
    secrets: {},
  }),
  reader: readPi,
}

function tools({ write, commands }: CliRequest): string {
  return ['read', 'grep', 'find', 'ls', ...(commands ? ['bash'] : []), ...(write ? ['edit', 'write'] : [])].join(',')
}

function models({ endpoint, model, contextTokens, maxTokens }: CliRequest) {
  const id = model ?? 'default'
  const cost = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 }
  const one = { id, name: id, reasoning: false, input: ['text'], cost, contextWindow: contextTokens, maxTokens }
  return { providers: { reeve: { baseUrl: `${endpoint?.baseUrl}/v1`, api: 'openai-completions', apiKey: endpoint?.key, models: [one] } } }
}

interface State {
  text: string
  stop: string
  problem: string
  /** `agent_end` came, and no new try after it. */
  over: boolean
  failed: boolean
}

function readPi(): CliReader {
  const calls = createCalls()
  const state: State = { text: '', stop: '', problem: '', over: false, failed: false }
  return {
    line(text, stream) {
      const it = stream === 'stdout' ? objectOf(text) : null
      return it ? output(it, calls, state) : []
    },
    exited: ({ code, stderr }) => [...calls.left(), ...ending(state, code, stderr)],
  }
}

function output(it: Fields, calls: Calls, state: State): CliEvent[] {
  const id = textAt(it, 'toolCallId')
  switch (it['type']) {
    case 'session':
      return [{ t: 'started', session: textAt(it, 'id') }]
    case 'agent_start':
      state.over = false
      return []
    case 'agent_end':
      state.over = true
      return []
    case 'message_end':
      return textAt(it, 'message.role') === 'assistant' ? said(fieldsAt(it, 'message'), state) : []
    case 'tool_execution_start':
      return calls.begin(id, textAt(it, 'toolName'), it['args'])
    case 'tool_execution_end':
      return calls.end(id, it['isError'] !== true, it['result'], textAt(it, 'toolName'))
    case 'auto_retry_start': {
      const problem = textAt(it, 'errorMessage')
      return [{ t: 'retry', class: classOf(problem) ?? 'server', problem: problemIn(problem), delayMs: numberAt(it, 'delayMs') }]
    }
    case 'auto_retry_end':
      return it['success'] === false ? failure(textAt(it, 'finalError'), state) : []
    default:
      return []
  }
}

/** Comes again in `turn_end` and `agent_end`: only here it counts. */
function said(message: Fields, state: State): CliEvent[] {
  state.stop = textAt(message, 'stopReason')
  state.problem = textAt(message, 'errorMessage')
  const events = listAt(message, 'content').flatMap((block): CliEvent[] => {
    const kind = textAt(block, 'type')
    if (kind === 'thinking') return [{ t: 'thinking', text: textAt(block, 'thinking') }]
    if (kind !== 'text') return []
    state.text = textAt(block, 'text')
    return [{ t: 'text', text: state.text, final: true }]
  })
  const cached = numberAt(message, 'usage.cacheRead')
  const written = numberAt(message, 'usage.cacheWrite')
  const input = numberAt(message, 'usage.input') + cached + written
  const spent = { input, output: numberAt(message, 'usage.output'), cached, written, ...costAt(message, 'usage.cost.total') }
  return spent.input + spent.output > 0 ? [...events, { t: 'usage', scope: 'turn', ...spent }] : events
}

function failure(problem: string, state: State): CliEvent[] {
  state.failed = true
  return [{ t: 'error', class: classOf(problem), problem: problemIn(problem) }]
}

function ending(state: State, code: number | null, stderr: string): CliEvent[] {
  if (state.failed) return []
  if (state.stop === 'error' || state.stop === 'aborted') return failure(state.problem || `It ended with "${state.stop}".`, state)
  if (state.stop === 'length') return [{ t: 'error', class: 'bad_output', problem: 'The answer was cut off at its greatest length.' }]
  if (code === 0 && state.over && state.stop === 'stop') return [{ t: 'success', text: state.text }]
  return state.stop === '' && stderr.trim() !== '' ? failure(stderr, state) : []
}
