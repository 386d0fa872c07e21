import { classOf, problemIn } from './classify.ts'
import { flags } from './flags.ts'
import { type Fields, fieldsAt, listAt, objectOf, textAt } from './line.ts'
import type { CliAdapter, CliEvent, CliReader } from './port.ts'
import { promptArgument } from './prompt-argument.ts'
import { type Calls, createCalls } from './tool-call.ts'

/**
 * Cursor's agent, as its documentation describes it: never run here. It has no package on npm (the one of that name is another program) and
 * takes no address of ours; its key is `CURSOR_API_KEY`, by `secrets_env`.
 */
export const cursorAgent: CliAdapter = {
  kind: 'cursor-agent',
  binary: 'cursor-agent',
  tested: null,
  experimental: true,
  api: null,
  login: {
    paths: ['.config/cursor/auth.json', '.cursor/cli-config.json'],
    hosts: ['api2.cursor.sh', 'api.cursor.sh', 'api3.cursor.sh', 'cursor.com'],
  },
  session: 'theirs',
  acp: null,
  command: (request) => ({
    args: flags(
      ['-p', '--output-format', 'stream-json', '--trust'],
      // Without it changes are only proposed.
      request.write && ['--force'],
      request.model !== null && ['--model', request.model],
      request.resume && ['--resume', request.session],
      request.args,
      [promptArgument(request)],
    ),
    input: null,
    env: {},
    files: [],
    secrets: {},
  }),
  reader: readCursor,
}

function readCursor(): CliReader {
  const calls = createCalls()
  let over = false
  return {
    line(text, stream) {
      const it = stream === 'stdout' ? objectOf(text) : null
      over ||= it?.['type'] === 'result'
      return it ? output(it, calls) : []
    },
    // A failure is an exit code and words on stderr, often without a terminal line.
    exited: ({ code, stderr }) => [...calls.left(), ...(over || code === 0 || stderr.trim() === '' ? [] : [failure(stderr)])],
  }
}

function output(it: Fields, calls: Calls): CliEvent[] {
  switch (it['type']) {
    case 'system':
      return it['subtype'] === 'init' ? [{ t: 'started', session: textAt(it, 'session_id'), model: textAt(it, 'model') }] : []
    case 'assistant':
      return listAt(it, 'message.content').flatMap((block): CliEvent[] =>
        textAt(block, 'type') === 'text' ? [{ t: 'text', text: textAt(block, 'text'), final: true }] : [],
      )
    case 'tool_call':
      return call(it, calls)
    case 'result':
      return it['is_error'] === true || it['subtype'] !== 'success'
        ? [failure(textAt(it, 'result') || textAt(it, 'subtype'))]
        : [{ t: 'success', text: textAt(it, 'result') }]
    default:
      return []
  }
}

/** `{"tool_call": {"readToolCall": {"args": …, "result": {"success": …}}}}`: the one key names the tool. */
function call(it: Fields, calls: Calls): CliEvent[] {
  const [named] = Object.keys(fieldsAt(it, 'tool_call'))
  const name = (named ?? 'tool').replace(/ToolCall$/, '')
  const body = fieldsAt(it, `tool_call.${named ?? ''}`)
  const id = textAt(it, 'call_id')
  if (it['subtype'] === 'started') return calls.begin(id, name, body['args'])
  return it['subtype'] === 'completed' ? calls.end(id, fieldsAt(body, 'result')['success'] !== undefined, body['result'], name) : []
}

function failure(message: string): CliEvent {
  return { t: 'error', class: classOf(message), problem: problemIn(message) }
}
