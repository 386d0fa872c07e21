import { describe, expect, it } from 'vitest'
import { cliRequest } from '../../../test/support/cli-agent.ts'
import { providerSettings } from '../../../test/support/provider.ts'
import { CLI_KINDS } from '../../core/settings.ts'
import { ADAPTERS, adapterOf } from './adapters.ts'
import type { CliAdapter, CliRequest } from './port.ts'

const KEY = 'the-key-itself'

const request = (over: Partial<CliRequest> = {}) => cliRequest({ endpoint: { baseUrl: 'http://127.0.0.1:4321/x', key: KEY }, ...over })
const each = ADAPTERS.map((it): [string, CliAdapter] => [it.kind, it])
const line = (adapter: CliAdapter, over: Partial<CliRequest> = {}) => adapter.command(request(over)).args.join(' ')

describe('every CLI agent', () => {
  it('has an adapter', () => {
    expect(CLI_KINDS.map((kind) => adapterOf(kind, providerSettings({ kind })).kind)).toEqual([...CLI_KINDS])
  })

  it.each(each)('%s: no key on its command line or among what is no secret', (_, adapter) => {
    const { args, env, input, secrets, files } = adapter.command(request())
    expect(JSON.stringify([args, env, input])).not.toContain(KEY)
    if (adapter.api) expect(JSON.stringify([secrets, files])).toContain(KEY)
    expect(files.every((it) => !it.path.startsWith('/') && !it.path.includes('..'))).toBe(true)
  })

  it.each(each.filter(([, it]) => it.api))('%s: its requests go where it is told', (_, adapter) => {
    const { args, env, secrets, files } = adapter.command(request())
    expect(JSON.stringify([args, env, secrets, files])).toContain('http://127.0.0.1:4321/x')
  })

  it.each(each)('%s: by its own log-in it gets neither address nor key', (_, adapter) => {
    const { args, env, secrets, files } = adapter.command(request({ endpoint: null }))
    expect(JSON.stringify([args, env, files])).not.toContain('127.0.0.1:4321')
    expect(Object.keys(secrets)).toEqual([])
    expect(JSON.stringify(files)).not.toContain('undefined')
  })

  it.each(each)('%s: has the prompt once, and a long one never as an argument', (_, adapter) => {
    const short = adapter.command(request())
    expect([...short.args, short.input].filter((it) => it === 'Fix the sum.')).toHaveLength(1)
    const prompt = 'é'.repeat(150_000)
    const long = adapter.command(request({ prompt }))
    expect(long.args.every((it) => Buffer.byteLength(it) < 128 * 1024)).toBe(true)
    expect(long.input ?? long.args.at(-1)).toMatch(long.input === null ? '/home/p.md' : prompt)
  })

  it.each(each)('%s: a prompt is never taken for an option', (_, adapter) => {
    const { args } = adapter.command(request({ prompt: '--help' }))
    expect(args).not.toContain('--help')
  })

  it.each(each)("%s: takes the user's own arguments, before a prompt", (_, adapter) => {
    const { args } = adapter.command(request({ args: ['--more', 'x'] }))
    expect(args.join(' ')).toContain('--more x')
    const { args: resumed } = adapter.command(request({ args: ['--more', 'x'], resume: true }))
    expect(resumed.join(' ')).toContain('--more x')
  })

  it.each(each.filter(([, it]) => it.session !== 'none'))('%s: goes on with a session', (kind, adapter) => {
    const named = request().session
    expect(line(adapter, { resume: true })).toContain(named)
    expect(line(adapter).includes(request().session)).toBe(adapter.session === 'ours')
  })

  it.each(each)('%s: may do less as a reader than as a writer', (_, adapter) => {
    const as = (write: boolean, commands: boolean) => JSON.stringify(adapter.command(request({ write, commands, confined: false })))
    expect(as(false, false)).not.toBe(as(true, true))
  })
})

describe('permissions', () => {
  const lines = (kind: CliAdapter['kind'], over: Partial<CliRequest> = {}) => {
    const adapter = adapterOf(kind, providerSettings({ kind }))
    return [
      [true, true],
      [true, false],
      [false, true],
      [false, false],
    ].map(([write = false, commands = false]) => {
      const made = adapter.command(request({ write, commands, ...over }))
      return `${made.args.join(' ')} ${JSON.stringify([made.files, made.secrets])}`
    })
  }

  it('of claude are lists of tools', () => {
    const [all, write, commands, none] = lines('claude')
    expect(all).toContain('--allowedTools Read Glob Grep Bash Edit Write --permission-mode acceptEdits')
    expect(write).toContain('--allowedTools Read Glob Grep Edit Write --disallowedTools Bash --permission-mode acceptEdits')
    expect(commands).toContain('--allowedTools Read Glob Grep Bash --disallowedTools Edit Write NotebookEdit --permission-mode default')
    expect(none).toContain('--allowedTools Read Glob Grep --disallowedTools Bash Edit Write NotebookEdit --permission-mode default')
  })

  it('of codex are its sandbox, but not within ours', () => {
    expect(lines('codex').every((it) => it.includes('--dangerously-bypass-approvals-and-sandbox') && !it.includes('-s '))).toBe(true)
    const [all, write, commands, none] = lines('codex', { confined: false })
    expect([all, write].every((it) => it?.includes('-s workspace-write'))).toBe(true)
    expect([commands, none].every((it) => it?.includes('-s read-only'))).toBe(true)
  })

  it('of gemini and qwen are a mode, and tools that are not there', () => {
    for (const kind of ['gemini', 'qwen'] as const) {
      const [all, write, commands, none] = lines(kind)
      expect(all).toContain('--approval-mode yolo')
      expect(write).toMatch(/--approval-mode auto[_-]edit/)
      expect(write).toContain('exclude\\":[\\"run_shell_command\\"]')
      expect(commands).toContain('--approval-mode default')
      expect(commands).toMatch(/exclude\\":\[\\"write_file\\"/)
      expect(none).toContain('exclude\\":[\\"run_shell_command\\",\\"write_file\\"')
    }
  })

  it('of opencode are in its settings, since it edits and runs what it likes', () => {
    const [all, write, commands, none] = lines('opencode')
    const rule = (edit: string, bash: string) => `permission\\":{\\"edit\\":\\"${edit}\\",\\"bash\\":\\"${bash}\\"}`
    expect(all).toContain(rule('allow', 'allow'))
    expect(write).toContain(rule('allow', 'deny'))
    expect(commands).toContain(rule('deny', 'allow'))
    expect(none).toContain(rule('deny', 'deny'))
  })

  it('of copilot are tools that are denied', () => {
    const [all, write, commands, none] = lines('copilot')
    expect(all).not.toContain('--deny-tool')
    expect(write).toContain('--deny-tool=shell')
    expect(commands).toContain('--deny-tool=write')
    expect(none).toContain('--deny-tool=shell --deny-tool=write')
  })
})

describe('limits and projects', () => {
  it('are told to the programs that take them', () => {
    const of = (kind: CliAdapter['kind']) => {
      const { args, files } = adapterOf(kind, providerSettings({ kind })).command(request({ limits: { turns: 7, usd: 0.5 } }))
      return `${args.join(' ')} ${JSON.stringify(files)}`
    }
    expect(of('claude')).toContain('--max-turns 7 --max-budget-usd 0.5')
    expect(of('gemini')).toContain('maxSessionTurns\\":7')
    expect(of('qwen')).toContain('--max-session-turns 7')
  })

  it('start nothing that the project names', () => {
    const made = (kind: CliAdapter['kind']) => adapterOf(kind, providerSettings({ kind })).command(request())
    expect(made('claude').args.join(' ')).toContain('--setting-sources user --strict-mcp-config')
    expect(made('qwen').args).toContain('--bare')
    expect(made('opencode').env).toMatchObject({ OPENCODE_DISABLE_PROJECT_CONFIG: '1', OPENCODE_PURE: '1' })
    expect(made('gemini').args).toContain('--skip-trust')
    expect(JSON.stringify(made('gemini').env)).not.toContain('TRUST_WORKSPACE')
    expect(made('gemini').files[0]?.text).toContain('"ignoreLocalEnv":true')
    expect(made('pi').args).toContain('--no-extensions')
  })

  it('lets codex read its prompt from the input, after a session too', () => {
    const adapter = adapterOf('codex', providerSettings({ kind: 'codex' }))
    expect(adapter.command(request({ resume: true, args: ['-c', 'a=1'] })).args.slice(-5)).toEqual([
      '-c',
      'a=1',
      'resume',
      request().session,
      '-',
    ])
    expect(adapter.command(request()).args.at(-1)).toBe('-')
  })
})
