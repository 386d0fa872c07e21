import { classOf, problemIn, waitIn } from './classify.ts'
import { flags } from './flags.ts'
import { type Fields, fieldsAt, listAt, numberAt, objectOf, textAt } from './line.ts'
import type { CliAdapter, CliEvent, CliReader, CliRequest } from './port.ts'
import { type Calls, createCalls, targetOf } from './tool-call.ts'

const KEY = 'REEVE_PROVIDER_KEY'

/** OpenAI's Codex, by `codex exec`. All that it does to files it does by commands: a role without them can only read what is in the prompt. */
export const codex: CliAdapter = {
  kind: 'codex',
  binary: 'codex',
  tested: { from: '0.169.0', to: '0.169.0' },
  experimental: false,
  api: { baseUrl: 'https://api.openai.com', dialect: 'openai-responses', keyVariables: ['OPENAI_API_KEY', 'CODEX_API_KEY'] },
  login: {
    paths: ['.codex/auth.json'],
    hosts: ['chatgpt.com', 'auth.openai.com', 'api.openai.com'],
    status: ['login', 'status'],
  },
  session: 'theirs',
  acp: null,
  command: (request) => ({
    args: flags(
      ['exec', '--json', '-C', request.cwd, '--skip-git-repo-check'],
      request.model !== null && ['-m', request.model],
      sandbox(request),
      provider(request),
      ['-c', 'analytics.enabled=false', '-c', 'check_for_update_on_startup=false'],
      request.args,
      request.resume && ['resume', request.session],
      ['-'],
    ),
    input: request.prompt,
    env: { CODEX_HOME: `${request.home}/.codex` },
    // The folder must be there.
    files: [{ path: '.codex/reeve', text: '' }],
    secrets: request.endpoint === null ? {} : { [KEY]: request.endpoint.key },
  }),
  reader: readCodex,
}

/** Its sandbox cannot be made within ours, which holds it as well; where there is none, its own is the one. */
function sandbox({ confined, write }: CliRequest): string[] {
  if (confined) return ['--dangerously-bypass-approvals-and-sandbox']
  return ['-s', write ? 'workspace-write' : 'read-only']
}

function provider({ endpoint, idleSeconds }: CliRequest): string[] {
  if (endpoint === null) return []
  const fields = [
    'name="reeve"',
    `base_url=${JSON.stringify(`${endpoint.baseUrl}/v1`)}`,
    `env_key="${KEY}"`,
    'wire_api="responses"',
    'request_max_retries=1',
    'stream_max_retries=1',
    `stream_idle_timeout_ms=${idleSeconds * 1000}`,
  ]
  return ['-c', 'model_provider="reeve"', '-c', `model_providers.reeve={${fields.join(',')}}`]
}

function readCodex(): CliReader {
  const calls = createCalls()
  let last = ''
  let over = false
  let trouble = ''
  return {
    line(text, stream) {
      const it = stream === 'stdout' ? objectOf(text) : null
      if (!it) return []
      const item = fieldsAt(it, 'item')
      switch (it['type']) {
        case 'thread.started':
          return [{ t: 'started', session: textAt(it, 'thread_id') }]
        case 'item.started':
          return begun(item, calls)
        case 'item.completed':
          if (item['type'] === 'agent_message') last = textAt(item, 'text')
          return done(item, calls)
        case 'error':
          // The end only when `turn.failed` says so too: mostly the program tries again.
          trouble = textAt(it, 'message')
          return retry(trouble)
        case 'turn.failed':
          over = true
          return [failed(textAt(it, 'error.message') || trouble)]
        case 'turn.completed':
          over = true
          return [usage(it), last === '' ? nothingSaid() : { t: 'success', text: last }]
        default:
          return []
      }
    },
    exited({ code, stderr }) {
      if (over || code === 0) return calls.left()
      const problem = trouble || stderr
      return [...calls.left(), ...(problem === '' ? [] : [failed(problem)])]
    },
  }
}

function retry(message: string): CliEvent[] {
  if (!message.startsWith('Reconnecting')) return []
  return [{ t: 'retry', class: classOf(message) ?? 'server', problem: problemIn(message) }]
}

function failed(message: string): CliEvent {
  const wait = waitIn(message)
  return { t: 'error', class: classOf(message), problem: problemIn(message), ...(wait !== undefined && { retryAfterMs: wait }) }
}

function nothingSaid(): CliEvent {
  return { t: 'error', class: 'refused', problem: 'The model ended its turn without a word.' }
}

function usage(it: Fields): CliEvent {
  return {
    t: 'usage',
    scope: 'total',
    input: numberAt(it, 'usage.input_tokens'),
    output: numberAt(it, 'usage.output_tokens'),
    cached: numberAt(it, 'usage.cached_input_tokens'),
    written: numberAt(it, 'usage.cache_write_input_tokens'),
  }
}

const TOOLS: ReadonlyMap<string, string> = new Map([
  ['command_execution', 'shell'],
  ['file_change', 'apply_patch'],
  ['web_search', 'web_search'],
])

function nameOf(item: Fields): string | null {
  const type = textAt(item, 'type')
  return type === 'mcp_tool_call' ? `mcp_${textAt(item, 'server')}_${textAt(item, 'tool')}` : (TOOLS.get(type) ?? null)
}

function begun(item: Fields, calls: Calls): CliEvent[] {
  const name = nameOf(item)
  return name === null ? [] : calls.begin(textAt(item, 'id'), name, inputOf(item))
}

function done(item: Fields, calls: Calls): CliEvent[] {
  const name = nameOf(item)
  if (name !== null) {
    const input = inputOf(item)
    const refused = item['status'] === 'declined'
    const ok = !refused && item['status'] !== 'failed' && (item['exit_code'] ?? 0) === 0
    return [
      ...calls.begin(textAt(item, 'id'), name, input),
      ...calls.end(textAt(item, 'id'), ok, item['aggregated_output']),
      ...(refused ? [{ t: 'denied' as const, tool: name, target: targetOf(input) }] : []),
    ]
  }
  if (item['type'] === 'agent_message') return [{ t: 'text', text: textAt(item, 'text'), final: true }]
  if (item['type'] === 'reasoning') return [{ t: 'thinking', text: textAt(item, 'text') }]
  // Not the end of anything: such as a model that it has no figures of.
  if (item['type'] === 'error') return [{ t: 'notice', level: 'warning', text: problemIn(textAt(item, 'message')) }]
  return []
}

function inputOf(item: Fields): Fields {
  const [first] = listAt(item, 'changes')
  return first === undefined ? item : { path: textAt(first, 'path') }
}
