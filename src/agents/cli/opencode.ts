import { classOf, problemIn } from './classify.ts'
import { flags } from './flags.ts'
import { costAt, type Fields, fieldsAt, numberAt, objectOf, statusAt, textAt } from './line.ts'
import type { CliAdapter, CliEvent, CliReader, CliRequest } from './port.ts'
import { type Calls, createCalls } from './tool-call.ts'

/** A whole answer may take this long whatever the silence that is allowed: it counts from the request on. */
const ANSWER_SECONDS = 600

/** opencode. It edits and runs commands unless it is told not to. */
export const opencode: CliAdapter = {
  kind: 'opencode',
  binary: 'opencode',
  tested: { from: '1.18.33', to: '1.18.33' },
  experimental: false,
  api: { baseUrl: 'https://api.openai.com', dialect: 'openai-chat', keyVariables: ['OPENAI_API_KEY'] },
  // The host of the provider that the user is logged in to is named by `hosts`.
  login: { paths: ['.local/share/opencode/auth.json'], hosts: ['opencode.ai'] },
  session: 'theirs',
  acp: { args: ['acp'] },
  // A call is told once, when it has ended.
  quirks: { quiet: 'calls' },
  // Its plugins it loads whatever it is told; with all that the agent itself knows at hand.
  unasked: ['.opencode', 'opencode.json', 'opencode.jsonc'],
  command: (request) => {
    const config = JSON.stringify(settings(request))
    const open = request.endpoint === null
    return {
      args: flags(
        ['run', '--format', 'json', '--auto'],
        modelOf(request),
        // Without a title it asks the model for one.
        request.resume ? ['-s', request.session] : ['--title', 'reeve'],
        request.args,
      ),
      input: request.prompt,
      env: {
        ...(open && { OPENCODE_CONFIG_CONTENT: config }),
        OPENCODE_DISABLE_AUTOUPDATE: '1',
        OPENCODE_DISABLE_MODELS_FETCH: '1',
        OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
        OPENCODE_DISABLE_DEFAULT_PLUGINS: '1',
        // Of the project's own settings nothing is read: they can start programs.
        OPENCODE_DISABLE_PROJECT_CONFIG: '1',
        OPENCODE_PURE: '1',
        // It asks for packages when it starts; this is answered at once, with no.
        npm_config_registry: 'http://127.0.0.1:1',
      },
      files: [],
      secrets: open ? {} : { OPENCODE_CONFIG_CONTENT: config },
    }
  },
  reader: readOpencode,
}

function modelOf({ endpoint, model }: CliRequest): string[] {
  if (endpoint !== null) return ['-m', `reeve/${model ?? 'default'}`]
  return model === null ? [] : ['-m', model]
}

function settings({ endpoint, model, write, commands, idleSeconds, contextTokens, maxTokens }: CliRequest) {
  const id = model ?? 'default'
  return {
    autoupdate: false,
    share: 'disabled',
    ...(endpoint !== null && { model: `reeve/${id}` }),
    permission: { edit: write ? 'allow' : 'deny', bash: commands ? 'allow' : 'deny' },
    ...(endpoint !== null && {
      provider: {
        reeve: {
          npm: '@ai-sdk/openai-compatible',
          options: {
            baseURL: `${endpoint.baseUrl}/v1`,
            apiKey: endpoint.key,
            timeout: Math.max(idleSeconds, ANSWER_SECONDS) * 1000,
            chunkTimeout: idleSeconds * 1000,
          },
          models: { [id]: { name: id, limit: { context: contextTokens, output: maxTokens } } },
        },
      },
    }),
  }
}

function readOpencode(): CliReader {
  let started = false
  let last = ''
  const calls = createCalls()
  return {
    line(text, stream) {
      const it = stream === 'stdout' ? objectOf(text) : null
      if (!it) return []
      const events: CliEvent[] = []
      const session = textAt(it, 'sessionID')
      if (!started && session !== '') {
        started = true
        events.push({ t: 'started', session })
      }
      const part = fieldsAt(it, 'part')
      switch (it['type']) {
        case 'text':
          last = textAt(part, 'text')
          return [...events, { t: 'text', text: last, final: true }]
        case 'reasoning':
          return [...events, { t: 'thinking', text: textAt(part, 'text') }]
        case 'tool_use':
          return [...events, ...call(part, calls)]
        case 'step_finish':
          return [...events, stepUsage(part), ...ending(part, last)]
        case 'error':
          return [...events, failure(it)]
        default:
          return events
      }
    },
    exited: () => calls.left(),
  }
}

function call(part: Fields, calls: Calls): CliEvent[] {
  const id = textAt(part, 'callID')
  const name = textAt(part, 'tool')
  const state = fieldsAt(part, 'state')
  return [
    ...calls.begin(id, name, fieldsAt(state, 'input')),
    ...calls.end(id, state['status'] === 'completed', state['output'] ?? textAt(state, 'error')),
  ]
}

function stepUsage(part: Fields): CliEvent {
  const cached = numberAt(part, 'tokens.cache.read')
  const written = numberAt(part, 'tokens.cache.write')
  return {
    t: 'usage',
    scope: 'turn',
    input: numberAt(part, 'tokens.input') + cached + written,
    output: numberAt(part, 'tokens.output') + numberAt(part, 'tokens.reasoning'),
    cached,
    written,
    ...costAt(part, 'cost'),
  }
}

/** There is no terminal event of its own: the last step says that it stopped. */
function ending(part: Fields, last: string): CliEvent[] {
  const reason = textAt(part, 'reason')
  if (reason === 'tool-calls') return []
  if (reason === 'length') return [{ t: 'error', class: 'bad_output', problem: 'The answer was cut off at its greatest length.' }]
  if (reason === 'content-filter') return [{ t: 'error', class: 'refused', problem: 'The answer was blocked by the content filter.' }]
  return [{ t: 'success', text: last }]
}

function failure(it: Fields): CliEvent {
  const name = textAt(it, 'error.name')
  const message = textAt(it, 'error.data.message') || name
  const status = statusAt(it, 'error.data.statusCode')
  const wait = Number(textAt(it, 'error.data.responseHeaders.retry-after'))
  return {
    t: 'error',
    class: NAMED.get(name) ?? classOf(`${message} ${textAt(it, 'error.data.responseBody')}`, status),
    problem: problemIn(message),
    ...(status !== undefined && { status }),
    ...(wait > 0 && { retryAfterMs: Math.round(wait * 1000) }),
  }
}

const NAMED: ReadonlyMap<string, 'refused' | 'context_too_long' | 'auth'> = new Map([
  ['ContentFilterError', 'refused'],
  ['ContextOverflowError', 'context_too_long'],
  ['ProviderAuthError', 'auth'],
])
