import { classOf, problemIn, waitIn } from './classify.ts'
import { flags } from './flags.ts'
import { type Fields, fieldsAt, listAt, numberAt, objectOf, textAt } from './line.ts'
import type { CliAdapter, CliEvent, CliReader, CliRequest } from './port.ts'
import { type Calls, createCalls, targetOf } from './tool-call.ts'

/** Qwen Code. Its launcher starts the program itself as a child. */
export const qwen: CliAdapter = {
  kind: 'qwen',
  binary: 'qwen',
  tested: { from: '0.24.4', to: '0.24.4' },
  experimental: false,
  api: {
    baseUrl: 'https://dashscope.aliyuncs.com/compatible-mode',
    dialect: 'openai-chat',
    keyVariables: ['OPENAI_API_KEY', 'DASHSCOPE_API_KEY'],
  },
  login: { paths: ['.qwen/oauth_creds.json'], hosts: ['chat.qwen.ai', 'portal.qwen.ai'] },
  session: 'ours',
  acp: { args: ['--acp'], modelFlag: '-m', env: { QWEN_CODE_NO_RELAUNCH: 'true' } },
  command: (request) => ({
    args: flags(
      ['-o', 'stream-json', '--approval-mode', approval(request)],
      ['--auth-type', request.endpoint === null ? 'qwen-oauth' : 'openai'],
      request.model !== null && ['-m', request.model],
      request.resume ? ['--resume', request.session] : ['--session-id', request.session],
      // Hooks and servers that the project's own settings name are not started.
      ['--bare', '--max-session-turns', String(request.limits.turns)],
      // So bare that the model is not told where it is, though its tools want absolute paths.
      ['--append-system-prompt', `Working directory: ${request.cwd}`],
      request.args,
    ),
    input: request.prompt,
    env: {
      ...(request.endpoint === null ? {} : { OPENAI_BASE_URL: `${request.endpoint.baseUrl}/v1` }),
      QWEN_CODE_NO_RELAUNCH: 'true',
      QWEN_CODE_SUPPRESS_YOLO_WARNING: '1',
    },
    files: [{ path: '.qwen/settings.json', text: JSON.stringify(settings(request)) }],
    secrets: request.endpoint === null ? {} : { OPENAI_API_KEY: request.endpoint.key },
  }),
  reader: readQwen,
}

function approval({ write, commands }: CliRequest): string {
  if (write && commands) return 'yolo'
  return write ? 'auto-edit' : 'default'
}

function settings({ endpoint, limits, write, commands, idleSeconds }: CliRequest) {
  return {
    security: { auth: { selectedType: endpoint === null ? 'qwen-oauth' : 'openai' } },
    general: { enableAutoUpdate: false },
    privacy: { usageStatisticsEnabled: false },
    model: { maxSessionTurns: limits.turns, generationConfig: { maxRetries: 1, timeout: idleSeconds * 1000 } },
    tools: {
      allowed: commands ? ['run_shell_command'] : [],
      exclude: [...(commands ? [] : ['run_shell_command']), ...(write ? [] : ['write_file', 'edit', 'notebook_edit'])],
    },
  }
}

function readQwen(): CliReader {
  const calls = createCalls()
  let said = false
  let counted = false
  return {
    line(text, stream) {
      if (stream === 'stderr') return retries(text)
      const it = objectOf(text)
      if (!it) return []
      said ||= it['type'] === 'result'
      const events = output(it, calls)
      counted ||= events.some((event) => event.t === 'usage' && event.scope === 'turn')
      // The total of a session that was gone on with has what was used before.
      return counted ? events.filter((event) => event.t !== 'usage' || event.scope === 'turn') : events
    },
    exited: ({ code, stderr }) => [...calls.left(), ...(said || code === null || code === 0 ? [] : [byCode(code, stderr)])],
  }
}

/** At a limit of its own there is no `result`. */
function byCode(code: number, stderr: string): CliEvent {
  if (code === 53) return { t: 'limit', problem: 'It reached its limit of turns.' }
  if (code === 55) return { t: 'limit', problem: 'It reached its limit of calls.' }
  return { t: 'error', class: classOf(stderr), problem: problemIn(stderr) || `It ended with exit code ${code}.` }
}

function output(it: Fields, calls: Calls): CliEvent[] {
  switch (it['type']) {
    case 'system':
      return it['subtype'] === 'init'
        ? [{ t: 'started', session: textAt(it, 'session_id'), model: textAt(it, 'model'), version: textAt(it, 'qwen_code_version') }]
        : []
    case 'assistant':
      return said(it, calls)
    case 'user':
      return listAt(it, 'message.content').flatMap((block) =>
        textAt(block, 'type') === 'tool_result' ? ended(block as Fields, calls) : [],
      )
    case 'result':
      return result(it)
    default:
      return []
  }
}

function said(it: Fields, calls: Calls): CliEvent[] {
  const events = listAt(it, 'message.content').flatMap((block): CliEvent[] => {
    const kind = textAt(block, 'type')
    const text = textAt(block, 'text')
    // The result says it again, as an error.
    if (kind === 'text') return text.startsWith('[API Error:') ? [] : [{ t: 'text', text, final: true }]
    if (kind === 'thinking') return [{ t: 'thinking', text: textAt(block, 'thinking') }]
    return kind === 'tool_use' ? calls.begin(textAt(block, 'id'), textAt(block, 'name'), fieldsAt(block, 'input')) : []
  })
  const used = usage(fieldsAt(it, 'message'), 'turn')
  return used.input + used.output > 0 ? [...events, used] : events
}

function ended(block: Fields, calls: Calls): CliEvent[] {
  return calls.end(textAt(block, 'tool_use_id'), block['is_error'] !== true, block['content'])
}

function result(it: Fields): CliEvent[] {
  const denied = listAt(it, 'permission_denials').map(
    (one): CliEvent => ({ t: 'denied', tool: textAt(one, 'tool_name'), target: targetOf(fieldsAt(one, 'tool_input')) }),
  )
  const message = textAt(it, 'error.message')
  const ok = it['is_error'] !== true && message === ''
  return [
    ...denied,
    usage(it, 'total'),
    ok ? { t: 'success', text: textAt(it, 'result'), turns: numberAt(it, 'num_turns') } : failure(message || textAt(it, 'subtype')),
  ]
}

function failure(message: string): CliEvent {
  const api = /\[API Error: ([\s\S]*)\]/.exec(message)?.[1] ?? message
  const wait = waitIn(api)
  return { t: 'error', class: classOf(api), problem: problemIn(api), ...(wait !== undefined && { retryAfterMs: wait }) }
}

/** Only what takes long is told, on stderr with its reason: "Retrying in 60s (attempt 1/10): [API Error: 429 …]". */
function retries(text: string): CliEvent[] {
  const found = /^Retrying in (\d+)s \(attempt \d+\/\d+\): (.*)/.exec(text)
  if (!found) return []
  const problem = found[2] ?? ''
  return [{ t: 'retry', class: classOf(problem) ?? 'server', problem: problemIn(problem), delayMs: Number(found[1]) * 1000 }]
}

/** What came from the cache is part of the input. */
function usage(it: Fields, scope: 'turn' | 'total'): Extract<CliEvent, { t: 'usage' }> {
  return {
    t: 'usage',
    scope,
    input: numberAt(it, 'usage.input_tokens'),
    output: numberAt(it, 'usage.output_tokens'),
    cached: numberAt(it, 'usage.cache_read_input_tokens'),
  }
}
