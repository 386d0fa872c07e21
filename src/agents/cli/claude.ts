import { classOf, problemIn, waitIn } from './classify.ts'
import { flags } from './flags.ts'
import { at, costAt, type Fields, fieldsAt, listAt, numberAt, objectOf, statusAt, textAt, textsAt } from './line.ts'
import type { CliAdapter, CliEvent, CliReader, CliRequest } from './port.ts'
import { type Calls, createCalls, targetOf } from './tool-call.ts'

const NO_SERVERS = '{"mcpServers":{}}'

/** Claude Code, in its print mode. The reference adapter. */
export const claude: CliAdapter = {
  kind: 'claude',
  binary: 'claude',
  tested: { from: '2.1.328', to: '2.1.328' },
  experimental: false,
  api: { baseUrl: 'https://api.anthropic.com', dialect: 'anthropic', keyVariables: ['ANTHROPIC_API_KEY'] },
  login: {
    paths: ['.claude/.credentials.json'],
    hosts: ['api.anthropic.com', 'platform.claude.com', 'console.anthropic.com', 'claude.ai'],
    status: ['auth', 'status'],
  },
  session: 'ours',
  // By an adapter program of its own, which the user configures as `acp`.
  acp: null,
  command: (request) => ({
    args: flags(
      ['-p', '--output-format', 'stream-json', '--verbose'],
      request.model !== null && ['--model', request.model],
      request.resume ? ['--resume', request.session] : ['--session-id', request.session],
      // Of the project's own settings nothing is read: they can start programs.
      ['--setting-sources', 'user', '--strict-mcp-config', '--mcp-config', NO_SERVERS],
      ['--max-turns', String(request.limits.turns)],
      request.limits.usd !== null && ['--max-budget-usd', String(request.limits.usd)],
      permissions(request),
      request.args,
    ),
    input: request.prompt,
    env: {
      ...(request.endpoint === null ? {} : { ANTHROPIC_BASE_URL: request.endpoint.baseUrl }),
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      DISABLE_AUTOUPDATER: '1',
      DISABLE_TELEMETRY: '1',
      CLAUDE_CODE_MAX_RETRIES: '1',
      API_TIMEOUT_MS: String(request.idleSeconds * 1000),
      CLAUDE_BYTE_STREAM_IDLE_TIMEOUT_MS: String(request.idleSeconds * 1000),
    },
    files: [],
    secrets: request.endpoint === null ? {} : { ANTHROPIC_API_KEY: request.endpoint.key },
  }),
  reader: readClaude,
}

/** Without an answer to a question of permission a call is refused: what is not allowed here cannot be done. */
function permissions({ write, commands }: CliRequest): string[] {
  const allowed = ['Read', 'Glob', 'Grep', ...(commands ? ['Bash'] : []), ...(write ? ['Edit', 'Write'] : [])]
  const refused = [...(commands ? [] : ['Bash']), ...(write ? [] : ['Edit', 'Write', 'NotebookEdit'])]
  return flags(
    ['--allowedTools', ...allowed],
    refused.length > 0 && ['--disallowedTools', ...refused],
    // Last, since the lists before it take whatever follows.
    ['--permission-mode', write ? 'acceptEdits' : 'default'],
  )
}

function readClaude(): CliReader {
  const calls = createCalls()
  return {
    line(text) {
      const it = objectOf(text)
      if (!it) return []
      if (it['type'] === 'system') return system(it)
      if (it['type'] === 'assistant') return said(it, calls)
      if (it['type'] === 'user') return ended(it, calls)
      return it['type'] === 'result' ? result(it) : []
    },
    exited: () => calls.left(),
  }
}

function system(it: Fields): CliEvent[] {
  if (it['subtype'] === 'init') {
    return [
      {
        t: 'started',
        session: textAt(it, 'session_id'),
        model: textAt(it, 'model'),
        version: textAt(it, 'claude_code_version'),
      },
    ]
  }
  if (it['subtype'] === 'api_retry') {
    const status = statusAt(it, 'error_status')
    const problem = textAt(it, 'error')
    return [
      {
        t: 'retry',
        // Without a status there was no answer at all.
        class: classOf(problem, status) ?? (status === undefined ? 'network' : 'server'),
        problem: status === undefined ? problem : `HTTP ${status}: ${problem}`,
        ...(status !== undefined && { status }),
        delayMs: numberAt(it, 'retry_delay_ms'),
      },
    ]
  }
  if (it['subtype'] === 'informational') return [{ t: 'notice', level: 'warning', text: problemIn(textAt(it, 'content')) }]
  return []
}

/** Each block of a message comes as a line of its own, with the usage of the whole message: that is not counted. */
function said(it: Fields, calls: Calls): CliEvent[] {
  // What the program itself says about an error is in the result.
  if (textAt(it, 'message.model') === '<synthetic>') return []
  return listAt(it, 'message.content').flatMap((block): CliEvent[] => {
    const kind = textAt(block, 'type')
    if (kind === 'text') return [{ t: 'text', text: textAt(block, 'text'), final: true }]
    if (kind === 'thinking') return [{ t: 'thinking', text: textAt(block, 'thinking') }]
    if (kind !== 'tool_use') return []
    return calls.begin(textAt(block, 'id'), textAt(block, 'name'), fieldsAt(block, 'input'))
  })
}

function ended(it: Fields, calls: Calls): CliEvent[] {
  return listAt(it, 'message.content').flatMap((block): CliEvent[] => {
    if (textAt(block, 'type') !== 'tool_result') return []
    return calls.end(textAt(block, 'tool_use_id'), at(block, 'is_error') !== true, at(block, 'content'))
  })
}

function result(it: Fields): CliEvent[] {
  return [...denials(it), usage(it), verdict(it)]
}

function denials(it: Fields): CliEvent[] {
  return listAt(it, 'permission_denials').map((one) => ({
    t: 'denied',
    tool: textAt(one, 'tool_name'),
    target: targetOf(fieldsAt(one, 'tool_input')),
  }))
}

function usage(it: Fields): CliEvent {
  const cached = numberAt(it, 'usage.cache_read_input_tokens')
  const written = numberAt(it, 'usage.cache_creation_input_tokens')
  return {
    t: 'usage',
    scope: 'total',
    input: numberAt(it, 'usage.input_tokens') + cached + written,
    output: numberAt(it, 'usage.output_tokens'),
    cached,
    written,
    ...costOf(it),
  }
}

/** The total is of the whole session, also of what was before it was gone on with; the usage is not. */
function costOf(it: Fields): { costUsd?: number } {
  const since = it['model_usage_since_last_result']
  if (since === undefined) return costAt(it, 'total_cost_usd')
  const costUsd = Object.values(fieldsAt({ since }, 'since')).reduce<number>((sum, one) => sum + numberAt(one, 'costUSD'), 0)
  return costUsd > 0 ? { costUsd } : {}
}

/** `subtype` says "success" also of failures: it is asked for limits only. */
function verdict(it: Fields): CliEvent {
  const text = textAt(it, 'result') || textsAt(it, 'errors').join('; ')
  const why = textAt(it, 'terminal_reason')
  const status = statusAt(it, 'api_error_status')
  if (textAt(it, 'subtype').startsWith('error_max_') || why === 'max_turns') return { t: 'limit', problem: problemIn(text) }
  const error = (kind: ReturnType<typeof classOf>): CliEvent => {
    const wait = waitIn(text)
    return {
      t: 'error',
      class: kind,
      problem: problemIn(text),
      ...(status !== undefined && { status }),
      ...(wait !== undefined && { retryAfterMs: wait }),
    }
  }
  if (it['stop_reason'] === 'refusal') return error('refused')
  if (why === 'prompt_too_long') return error('context_too_long')
  if (it['is_error'] === true || (why !== '' && why !== 'completed')) return error(classOf(text, status))
  return { t: 'success', text, turns: numberAt(it, 'num_turns') }
}
