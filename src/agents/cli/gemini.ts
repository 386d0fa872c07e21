import { classOf, problemIn, waitIn } from './classify.ts'
import { flags } from './flags.ts'
import { type Fields, fieldsAt, numberAt, objectOf, statusAt, textAt } from './line.ts'
import type { CliAdapter, CliEvent, CliReader, CliRequest } from './port.ts'
import { type Calls, createCalls } from './tool-call.ts'

/** Google's Gemini CLI. Its children leave its process group. */
export const gemini: CliAdapter = {
  kind: 'gemini',
  binary: 'gemini',
  tested: { from: '0.61.0', to: '0.61.0' },
  experimental: false,
  api: {
    baseUrl: 'https://generativelanguage.googleapis.com',
    dialect: 'google',
    keyVariables: ['GEMINI_API_KEY', 'GOOGLE_API_KEY'],
  },
  login: {
    paths: ['.gemini/oauth_creds.json', '.gemini/google_accounts.json'],
    hosts: ['cloudcode-pa.googleapis.com', 'oauth2.googleapis.com', 'www.googleapis.com'],
  },
  session: 'ours',
  acp: { args: ['--acp', '--skip-trust'], modelFlag: '-m', env: { GEMINI_CLI_NO_RELAUNCH: 'true' } },
  quirks: { ownSessions: true },
  // The same as its own; this one it reads whatever it is told.
  unasked: ['.gemini/.env'],
  command: (request) => ({
    args: flags(
      ['-o', 'stream-json', '--approval-mode', approval(request), '--skip-trust'],
      request.model !== null && ['-m', request.model],
      // By its id: the newest session of this home may be another role's.
      request.resume ? ['--resume', request.session] : ['--session-id', request.session],
      request.args,
    ),
    input: request.prompt,
    env: {
      ...(request.endpoint === null ? {} : { GOOGLE_GEMINI_BASE_URL: request.endpoint.baseUrl }),
      GEMINI_CLI_NO_RELAUNCH: 'true',
    },
    files: [{ path: '.gemini/settings.json', text: JSON.stringify(settings(request)) }],
    secrets: request.endpoint === null ? {} : { GEMINI_API_KEY: request.endpoint.key },
  }),
  reader: readGemini,
}

function approval({ write, commands }: CliRequest): string {
  if (write && commands) return 'yolo'
  return write ? 'auto_edit' : 'default'
}

function settings({ endpoint, limits, write, commands }: CliRequest) {
  const allowed = commands ? ['run_shell_command'] : []
  const excluded = [...(commands ? [] : ['run_shell_command']), ...(write ? [] : ['write_file', 'replace'])]
  return {
    security: { auth: { selectedType: endpoint === null ? 'oauth-personal' : 'gemini-api-key' } },
    general: { enableAutoUpdate: false, maxAttempts: 2 },
    privacy: { usageStatisticsEnabled: false },
    model: { maxSessionTurns: limits.turns },
    tools: { allowed, exclude: excluded },
    // A file of the project would set variables: those by which Node loads a module, and by which it finds its maker.
    advanced: { ignoreLocalEnv: true },
  }
}

/** Exit codes of its own; an HTTP status comes out modulo 256. */
const STATUS: Readonly<Record<number, number>> = { 144: 400, 145: 401, 147: 403, 173: 429, 244: 500, 247: 503 }

function readGemini(): CliReader {
  const calls = createCalls()
  let said = false
  return {
    line(text, stream) {
      if (stream === 'stderr') return retries(text)
      const it = objectOf(text)
      if (!it) return []
      const events = output(it, calls)
      said ||= events.some((event) => event.t === 'error' || event.t === 'limit')
      return events
    },
    exited: ({ code, stderr }) => [...calls.left(), ...(said || code === null || code === 0 ? [] : [byCode(code, stderr)])],
  }
}

function byCode(code: number, stderr: string): CliEvent {
  if (code === 53) return { t: 'limit', problem: 'It reached its limit of turns.' }
  const problem = problemIn(stderr) || `It ended with exit code ${code}.`
  if (code === 55 || code === 52) return { t: 'error', class: 'config', problem }
  if (code === 41) return { t: 'error', class: 'auth', problem }
  return { t: 'error', class: classOf(stderr, STATUS[code]), problem }
}

function output(it: Fields, calls: Calls): CliEvent[] {
  const id = textAt(it, 'tool_id')
  switch (it['type']) {
    case 'init':
      return [{ t: 'started', session: textAt(it, 'session_id'), model: textAt(it, 'model') }]
    case 'message':
      return it['role'] === 'assistant' ? [{ t: 'text', text: textAt(it, 'content') }] : []
    case 'tool_use':
      return calls.begin(id, textAt(it, 'tool_name'), fieldsAt(it, 'parameters'))
    case 'tool_result':
      return calls.end(id, it['status'] === 'success', it['output'] ?? textAt(it, 'error.message'))
    case 'error':
      return [trouble(textAt(it, 'message'), textAt(it, 'severity'))]
    case 'result':
      return [usage(it), it['status'] === 'success' ? { t: 'success' } : failure(textAt(it, 'error.message'))]
    default:
      return []
  }
}

/** Counts more than the `success` that may follow it. */
function trouble(message: string, severity: string): CliEvent {
  if (severity === 'warning') return { t: 'notice', level: 'warning', text: problemIn(message) }
  return failure(message)
}

/** Only what the API said counts: the advice after it speaks of quotas whatever happened. */
function failure(message: string): CliEvent {
  if (/max(?:imum)? session turns/i.test(message)) return { t: 'limit', problem: problemIn(message) }
  const api = /\[API Error: ([\s\S]*)\]/.exec(message)?.[1] ?? message
  const said = objectOf(api)
  const status = statusAt(said ?? undefined, 'error.code')
  const wait = waitIn(api)
  return {
    t: 'error',
    class: classOf(api, status),
    problem: problemIn(textAt(said ?? undefined, 'error.message') || api),
    ...(status !== undefined && { status }),
    ...(wait !== undefined && { retryAfterMs: wait }),
  }
}

function retries(text: string): CliEvent[] {
  const found = /^Attempt \d+ failed(?: with status (\d{3}))?[:.]? ?(.*)/.exec(text)
  if (!found) return []
  const status = found[1] === undefined ? undefined : Number(found[1])
  const problem = found[2] ?? ''
  return [{ t: 'retry', class: classOf(problem, status) ?? 'server', problem: problemIn(problem), ...(status !== undefined && { status }) }]
}

function usage(it: Fields): CliEvent {
  return {
    t: 'usage',
    scope: 'total',
    input: numberAt(it, 'stats.input_tokens'),
    output: numberAt(it, 'stats.output_tokens'),
    cached: numberAt(it, 'stats.cached'),
  }
}
