import { classOf, problemIn } from './classify.ts'
import { flags } from './flags.ts'
import { objectOf, textAt } from './line.ts'
import type { CliAdapter, CliEvent, CliReader, CliRequest } from './port.ts'
import { promptArgument } from './prompt-argument.ts'

const CONFIG = '.continue/reeve.yaml'

/** Continue's `cn`. It tells its last answer and nothing else; errors come as JSON on stderr. */
export const cn: CliAdapter = {
  kind: 'cn',
  binary: 'cn',
  tested: { from: '1.5.47', to: '1.5.47' },
  experimental: true,
  api: { baseUrl: 'https://api.openai.com', dialect: 'openai-chat', keyVariables: ['OPENAI_API_KEY'] },
  login: { paths: ['.continue/auth.json'], hosts: ['api.continue.dev'] },
  session: 'none',
  acp: null,
  quirks: { quiet: 'all' },
  command: (request) => ({
    args: flags(
      ['-p', '--format', 'json', ...permissions(request)],
      request.endpoint !== null && ['--config', `${request.home}/${CONFIG}`],
      request.args,
      [promptArgument(request)],
    ),
    input: null,
    env: { CONTINUE_TELEMETRY_ENABLED: '0' },
    // JSON is YAML too.
    files: request.endpoint === null ? [] : [{ path: CONFIG, text: JSON.stringify(config(request)) }],
    secrets: {},
  }),
  reader: readCn,
}

function permissions({ write, commands }: CliRequest): string[] {
  if (write && commands) return ['--auto']
  // Its modes have a will of their own: `--readonly` and `--auto` run commands whatever is excluded.
  const how = (tool: string, allowed: boolean) => [allowed ? '--allow' : '--exclude', tool]
  return flags(how('Write', write), how('Edit', write), how('MultiEdit', write), how('Bash', commands))
}

function config({ endpoint, model }: CliRequest) {
  const name = model ?? 'default'
  const one = { name, provider: 'openai', model: name, apiBase: `${endpoint?.baseUrl}/v1`, apiKey: endpoint?.key }
  return { name: 'reeve', version: '1.0.0', schema: 'v1', models: [{ ...one, roles: ['chat'], capabilities: ['tool_use'] }] }
}

function readCn(): CliReader {
  let said = false
  return {
    line(text) {
      const it = objectOf(text)
      const status = textAt(it ?? undefined, 'status')
      if (!it || (status !== 'success' && status !== 'error')) return []
      said = true
      if (status === 'error') return [failure(textAt(it, 'message'))]
      const answer = textAt(it, 'response')
      return [
        { t: 'text', text: answer, final: true },
        { t: 'success', text: answer },
      ]
    },
    exited: ({ code, stderr }) => (said || code === 0 || stderr.trim() === '' ? [] : [failure(stderr)]),
  }
}

function failure(message: string): CliEvent {
  return { t: 'error', class: classOf(message), problem: problemIn(message) }
}
