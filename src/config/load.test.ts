import { describe, expect, it } from 'vitest'
import { temporaryFolder, writeFiles } from '../../test/support/folder.ts'
import { loadSettings } from './load.ts'

interface Given {
  files?: Record<string, string>
  user?: string
  env?: Record<string, string>
  flags?: { key: string; value: string | number | boolean; name: string }[]
}

function load(given: Given) {
  const userDir = temporaryFolder()
  if (given.user !== undefined) writeFiles(userDir, { 'config.toml': given.user })
  return loadSettings({
    projectRoot: '/nowhere',
    readProjectFile: async (path) => given.files?.[path] ?? null,
    env: given.env ?? {},
    flags: given.flags ?? [],
    userDir,
  })
}

async function refused(given: Given): Promise<string> {
  try {
    await load(given)
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('nothing was refused')
}

const keyed = (value: string) => toml(`[providers.x]\nkind = "anthropic"\napi_key_env = "${value}"\n`)
const toml = (text: string): Given => ({ files: { 'reeve.toml': text } })

describe('the layers', () => {
  it('needs no file at all', async () => {
    const { settings, origins, warnings } = await load({})
    expect(settings.runs.max_attempts).toBe(3)
    expect(settings.gates.coverage.threshold).toBe(80)
    expect(origins.get('runs.max_attempts')).toBe('default')
    expect(warnings).toEqual([])
  })

  it('lets each layer win over those below it, and says where a value comes from', async () => {
    const { settings, origins } = await load({
      user: '[runs]\nmax_attempts = 2\nworkflow = "direct"\nmax_concurrent = 2\ntimeout_minutes = 2\nmax_steps = 2\nmax_tokens = 2\n',
      files: {
        'team.toml': '[runs]\nmax_concurrent = 4\ntimeout_minutes = 4\nmax_steps = 4\nmax_tokens = 4\nworkflow = "build"',
        'reeve.toml': 'extends = "team.toml"\n\n[runs]\ntimeout_minutes = 5\nmax_steps = 5\nmax_tokens = 5\n',
        'reeve.ci.toml': '[runs]\nmax_steps = 6\nmax_tokens = 6\n',
      },
      env: { REEVE_ENV: 'ci', REEVE_RUNS__MAX_TOKENS: '7', REEVE_RUNS__MAX_USD: '7' },
      flags: [{ key: 'runs.max_usd', value: 8, name: '--max-usd' }],
    })
    expect(settings.runs).toMatchObject({ max_attempts: 2, max_concurrent: 4, timeout_minutes: 5, max_steps: 6, max_tokens: 7, max_usd: 8 })
    expect(settings.runs.workflow).toBe('build')
    const at = (key: string) => origins.get(`runs.${key}`)
    expect(at('max_attempts')).toBe('config.toml:2')
    expect(at('max_concurrent')).toBe('team.toml:2')
    expect(at('timeout_minutes')).toBe('reeve.toml:4')
    expect(at('max_steps')).toBe('reeve.ci.toml:2')
    expect(at('max_tokens')).toBe('REEVE_RUNS__MAX_TOKENS')
    expect(at('max_usd')).toBe('--max-usd')
  })

  it('replaces lists whole and keeps the tables beside an overridden key', async () => {
    const { settings } = await load({
      user: '[providers]\norder = ["a"]\n[providers.a]\nkind = "anthropic"\nmodel = "one"\n',
      ...toml('[providers]\norder = []\n[providers.a]\nmodel = "two"\n[providers.a.headers]\nx-run = "{run}"\n'),
    })
    expect(settings.providers.order).toEqual([])
    expect(settings.providers['a']).toMatchObject({ kind: 'anthropic', model: 'two', headers: { 'x-run': '{run}' } })
  })

  it('warns when the environment that is named has no file', async () => {
    expect((await load({ env: { REEVE_ENV: 'ci' } })).warnings).toEqual(['REEVE_ENV is "ci", but there is no reeve.ci.toml.'])
  })
})

describe('variables', () => {
  it('fills ${VAR} and ${VAR:-default}, also where a number, a boolean or a list is wanted', async () => {
    const { settings } = await load({
      ...toml(
        '[runs]\nmax_attempts = "${TRIES:-4}"\nrefine = "${REFINE}"\nworkflow = "${A}${B:-rect}"\n[providers]\norder = "${ORDER:-}"\n[providers.x]\nkind = "openai-compatible"\nbase_url = "http://${HOST:-127.0.0.1}:${PORT}/v1"\ntemperature = "${T:-0.5}"\n',
      ),
      env: { REFINE: 'true', A: 'di', PORT: '8080', HOST: '' },
    })
    expect(settings.runs).toMatchObject({ max_attempts: 4, refine: true, workflow: 'direct' })
    expect(settings.providers.order).toEqual([])
    expect(settings.providers['x']).toMatchObject({ base_url: 'http://127.0.0.1:8080/v1', temperature: 0.5 })
  })

  it('leaves command lines to the shell', async () => {
    const { settings } = await load(toml('[project]\nsetup = ["echo ${HOME}"]\n[gates.tests]\ncommand = "npm test -- ${ARGS:-}"\n'))
    expect(settings.project.setup).toEqual(['echo ${HOME}'])
    expect(settings.gates.tests?.command).toBe('npm test -- ${ARGS:-}')
  })

  it('finds the names of providers and gates in the spelling of the files', async () => {
    const { settings } = await load({
      ...toml('[providers.my-Box]\nkind = "openai-compatible"\nbase_url = "http://localhost:1/v1"\n'),
      env: { REEVE_PROVIDERS__MY_BOX__MODEL: 'm', REEVE_GATES__E2E__COMMAND: 'make e2e', REEVE_PROVIDERS__ORDER: 'my-Box' },
    })
    expect(settings.providers['my-Box']).toMatchObject({ model: 'm' })
    expect(settings.gates['e2e']).toMatchObject({ command: 'make e2e' })
    expect(settings.providers.order).toEqual(['my-Box'])
  })

  it('ignores variables of other meaning and empty ones', async () => {
    const { settings } = await load({ env: { REEVE_HOME: '/x', REEVE_RUNS__MAX_ATTEMPTS: '', OTHER__KEY: '1' } })
    expect(settings.runs.max_attempts).toBe(3)
  })
})

describe('what is refused, word for word', () => {
  const provider = '[providers.x]\nkind = "openai-compatible"\nbase_url = "http://localhost:1/v1"\n'
  const table: [string, Given, string][] = [
    [
      'a mistyped key',
      toml('# top\n\n[runs]\n# a\n# b\n\nmax_attemps = 3\n'),
      'reeve.toml:7: unknown key "runs.max_attemps"; did you mean "max_attempts"?',
    ],
    ['a mistyped table', toml('[run]\nmax_attempts = 3\n'), 'reeve.toml:1: unknown key "run"; did you mean "runs"?'],
    [
      'a key far from all others',
      toml('colour = 1\n'),
      'reeve.toml:1: unknown key "colour"; known here: daemon, files, gates, mcp, network, prices, project, providers, queue, routing, runs, sandbox, telemetry, tests, webhooks',
    ],
    [
      'a text for a number',
      toml('[runs]\nmax_attempts = "three"\n'),
      'reeve.toml:2: runs.max_attempts is "three"; allowed: a whole number from 1 to 20',
    ],
    [
      'a number out of range',
      toml('[runs]\nmax_attempts = 99\n'),
      'reeve.toml:2: runs.max_attempts is 99; allowed: a whole number from 1 to 20',
    ],
    [
      'a fraction for a whole number',
      toml('runs.max_attempts = 1.5\n'),
      'reeve.toml:1: runs.max_attempts is 1.5; allowed: a whole number from 1 to 20',
    ],
    ['a time of nothing', toml('[runs]\ntimeout_minutes = 0\n'), 'reeve.toml:2: runs.timeout_minutes is 0; allowed: a number above 0'],
    [
      'a word that is no choice',
      toml('[runs]\nautonomy = "auto"\n'),
      'reeve.toml:2: runs.autonomy is "auto"; allowed: manual, supervised, autonomous',
    ],
    [
      'a text for a list',
      toml('[project]\nsetup = "npm ci"\n'),
      'reeve.toml:2: project.setup is "npm ci"; allowed: a list of texts, such as ["a", "b"]',
    ],
    ['a value for a table', toml('runs = 3\n'), 'reeve.toml:1: runs is 3; allowed: a table'],
    ['a text for a boolean', toml('[runs]\nrefine = "yes"\n'), 'reeve.toml:2: runs.refine is "yes"; allowed: true or false'],
    ['a date', toml('[runs]\nworkflow = 2026-01-01\n'), 'reeve.toml:2: runs.workflow is 2026-01-01; allowed: a text in quotes'],
    ['a number in a list of texts', toml('[tests]\nfiles = [\n  1,\n]\n'), 'reeve.toml:2: tests.files is 1; allowed: a text in quotes'],
    ['broken TOML', toml('[runs]\nmax_attempts = \n'), 'reeve.toml:2: invalid value (column 16)'],
    [
      'a key that is there twice',
      toml('[runs]\nrefine = true\nrefine = true\n'),
      'reeve.toml:3: trying to redefine an already defined table or value (column 1)',
    ],
    [
      'a provider without its kind',
      toml('[providers.x]\nmodel = "m"\n'),
      'reeve.toml:1: providers.x.kind is missing; allowed: anthropic, openai, google, openai-compatible, ollama, llamacpp, scripted, replay, claude, codex, gemini, opencode, qwen, copilot, cursor-agent, pi, cn, cline, droid, command, acp, plugin',
    ],
    [
      'a provider without its server',
      toml('[providers.x]\nkind = "openai-compatible"\n'),
      'reeve.toml:2: providers.x.base_url is missing; kind "openai-compatible" needs the server\'s URL',
    ],
    [
      'a recording that is not named',
      toml('[providers.x]\nkind = "replay"\n'),
      'reeve.toml:2: providers.x.file is missing; kind "replay" needs a recording, or the id of a recorded run',
    ],
    [
      'an engine that is to call tools',
      toml('[providers.x]\nkind = "llamacpp"\nfile = "m"\nstyle = "tools"\n'),
      'reeve.toml:4: providers.x.style is "tools", which kind "llamacpp" cannot do; allowed: "proposals"',
    ],
    ...['http://127.0.0.1:2375/containers?x=', 'http://localhost@models.example/v1', 'http://127.0.0.1:1/#', 'file:///etc/passwd'].map(
      (address): [string, ReturnType<typeof toml>, string] => [
        `an address that leads elsewhere: ${address}`,
        toml(`[providers.x]\nkind = "openai-compatible"\nbase_url = "${address}"\n`),
        'reeve.toml:3: providers.x.base_url is no plain address; allowed: http or https, without "?", "#" and a password',
      ],
    ),
    [
      'two places for one key',
      toml('[providers.x]\nkind = "openai"\napi_key_env = "K"\napi_key_file = "~/k"\n'),
      'reeve.toml:4: providers.x has both api_key_env and api_key_file; a key has one place',
    ],
    [
      'a scripted provider without its file',
      toml('[providers.x]\nkind = "scripted"\n'),
      'reeve.toml:2: providers.x.file is missing; kind "scripted" needs the YAML file of its replies',
    ],
    [
      'a URL that is none',
      toml('[providers.x]\nkind = "openai-compatible"\nbase_url = "localhost"\n'),
      'reeve.toml:3: providers.x.base_url is "localhost"; allowed: a URL, such as "http://127.0.0.1:8080/v1"',
    ],
    [
      'an order that names nobody',
      toml(`${provider}[providers]\norder = ["y1"]\n`),
      'reeve.toml:5: providers.order names "y1", which is not configured; configured: x',
    ],
    [
      'a gate of its own without a command',
      toml('[gates.smoke]\nenabled = true\n'),
      'reeve.toml:1: gates.smoke has no command; reeve does not know it, so it needs one',
    ],
    [
      'a mistyped gate',
      toml('[gates.test]\ntimeout_seconds = 9\n'),
      'reeve.toml:1: gates.test has no command; did you mean "gates.tests"?',
    ],
    [
      'a variable that only looks as if it were set',
      toml('[project]\nbase = "${constructor}"\n'),
      'reeve.toml:2: project.base: the environment variable constructor is not set; set it, or write ${constructor:-default}',
    ],
    [
      'a variable that is not set',
      toml('[runs]\nmax_attempts = "${TRIES}"\n'),
      'reeve.toml:2: runs.max_attempts: the environment variable TRIES is not set; set it, or write ${TRIES:-default}',
    ],
    [
      'a variable with a value that does not fit',
      { ...toml('[runs]\nmax_attempts = "${TRIES}"\n'), env: { TRIES: 'hush-hush' } },
      'reeve.toml:2: runs.max_attempts is not what is wanted; allowed: a whole number from 1 to 20',
    ],
    [
      'a mistyped variable',
      { env: { REEVE_RUNS__MAX_ATTEMPS: '3' } },
      'REEVE_RUNS__MAX_ATTEMPS: unknown key "runs.max_attemps"; did you mean "max_attempts"?',
    ],
    [
      'a variable for a table',
      { env: { REEVE_GATES__TESTS: 'npm test' } },
      'REEVE_GATES__TESTS: "gates.tests" is a table; name one of its keys',
    ],
    [
      'a variable out of range',
      { env: { REEVE_RUNS__MAX_ATTEMPTS: '0' } },
      'REEVE_RUNS__MAX_ATTEMPTS: runs.max_attempts is 0; allowed: a whole number from 1 to 20',
    ],
    [
      'a number with no upper limit',
      { env: { REEVE_SANDBOX__LIMITS__OPEN_FILES: '16' } },
      'REEVE_SANDBOX__LIMITS__OPEN_FILES: sandbox.limits.open_files is 16; allowed: a whole number from 64',
    ],
    [
      'a flag out of range',
      { flags: [{ key: 'runs.max_attempts', value: 0, name: '--max-attempts' }] },
      '--max-attempts: runs.max_attempts is 0; allowed: a whole number from 1 to 20',
    ],
    [
      'an environment name with a path in it',
      { env: { REEVE_ENV: '../x' } },
      'REEVE_ENV: "../x" is no environment name; allowed: letters, digits, "-" and "_"',
    ],
    [
      'extends out of the project',
      toml('extends = "../other.toml"\n'),
      'reeve.toml:1: extends names "../other.toml", which is outside the project; allowed: a path within it',
    ],
    ['extends of nothing', toml('\nextends = ["a.toml"]\n'), 'reeve.toml:2: extends names "a.toml", which does not exist'],
    [
      'extends in a circle',
      { files: { 'reeve.toml': 'extends = "a.toml"', 'a.toml': 'extends = "reeve.toml"' } },
      'a.toml:1: extends goes in a circle: reeve.toml -> a.toml -> reeve.toml',
    ],
    ['a prototype', toml('[runs]\n"__proto__" = 1\n'), 'reeve.toml:2: unknown key "runs.__proto__"'],
    [
      "a key in the user's file",
      { user: '[runs]\nmax_attemps = 1\n' },
      'config.toml:2: unknown key "runs.max_attemps"; did you mean "max_attempts"?',
    ],
  ]
  it.each(table)('%s', async (_title, given, sentence) => {
    expect(await refused(given)).toBe(sentence)
  })

  it('lists all problems at once, each with its place', async () => {
    const message = await refused(toml('[runs]\nmax_attemps = 3\nautonomy = "auto"\n[gates.tests]\ncomand = "x"\n'))
    expect(message.split('\n').toSorted()).toEqual([
      'reeve.toml:2: unknown key "runs.max_attemps"; did you mean "max_attempts"?',
      'reeve.toml:3: runs.autonomy is "auto"; allowed: manual, supervised, autonomous',
      'reeve.toml:5: unknown key "gates.tests.comand"; did you mean "command"?',
    ])
  })
})

describe('providers', () => {
  it.each([
    [
      '[providers."--x"]\nkind = "claude"',
      `:1: "--x" is no name for a provider; allowed: a letter, a digit or "_", then no blanks, quotes and commas`,
    ],
    [
      '[providers.""]\nkind = "claude"',
      `:1: "" is no name for a provider; allowed: a letter, a digit or "_", then no blanks, quotes and commas`,
    ],
    ['[providers.x]\nkind = "command"', ':2: providers.x.binary is missing; kind "command" needs the program'],
    ['[providers.x]\nkind = "acp"', ':2: providers.x.binary is missing; kind "acp" needs the program'],
    [
      '[providers.x]\nkind = "claude"\nbinary = "./claude"',
      ':3: providers.x.binary is "./claude"; allowed: a name on the search path, or an absolute path',
    ],
    [
      '[routing.roles]\nreviewer = ["y"]\n[providers.x]\nkind = "claude"',
      ':2: routing.roles.reviewer names "y", which is not configured; did you mean "x"?',
    ],
  ])('%s', async (text, problem) => {
    expect(await refused(toml(text))).toBe(`reeve.toml${problem}`)
  })

  it.each(['a/b', 'ü', 'my.gateway-2'])('may be named %s', async (name) => {
    expect((await load(toml(`[providers."${name}"]\nkind = "claude"\n`))).settings.providers[name]).toBeDefined()
  })
})

describe('keys', () => {
  const SECRETS = [
    'sk-abcdef0123456789abcdef',
    'ghp_0123456789abcdefghij',
    'AIzaSyA0123456789abcdefghij',
    'aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW',
  ]

  it.each(SECRETS)('refuses a key where the name of a variable is wanted, and does not print it (%#)', async (secret) => {
    const message = await refused(keyed(secret))
    expect(message).toBe(
      'reeve.toml:3: providers.x.api_key_env holds what looks like a key itself; write the name of the environment variable that holds it, such as "MY_API_KEY", and change the key',
    )
    expect(message).not.toContain(secret)
  })

  it('does not print it either when something else is wrong too', async () => {
    const message = await refused(
      toml('[providers.x]\nkind = "nope"\napi_key_env = "sk-abcdef0123456789abcdef"\nheaders = { authorization = 5 }\n'),
    )
    expect(message).not.toContain('sk-abcdef')
    expect(message).toContain('providers.x.kind is "nope"')
  })

  it('takes the usual names of variables', async () => {
    const { settings, warnings } = await load({ ...keyed('ANTHROPIC_API_KEY_2'), env: { ANTHROPIC_API_KEY_2: 'x' } })
    expect(settings.providers['x']).toMatchObject({ api_key_env: 'ANTHROPIC_API_KEY_2' })
    expect(warnings).toEqual([])
  })

  it('warns of a key that is not set, and of one that travels in the clear', async () => {
    const { warnings } = await load(
      toml('[providers.x]\nkind = "openai-compatible"\nbase_url = "http://models.example/v1"\napi_key_env = "K"\n'),
    )
    expect(warnings).toEqual([
      'providers.x sends its key without encryption, to http://models.example/v1.',
      'providers.x needs the environment variable K, which is not set.',
    ])
  })

  it('refuses a key that is written plainly, wherever it is, and does not print it', async () => {
    const secret = 'sk-abcdef0123456789abcdef'
    const message = await refused(
      toml(
        `[providers.x]\nkind = "claude"\nargs = ["--key=${secret}"]\n\n[providers.x.env]\nA = "${secret}"\n\n[providers.x.headers]\nx-auth = "Bearer ${secret}"\n`,
      ),
    )
    expect(message.split('\n').toSorted()).toEqual([
      'reeve.toml:3: providers.x.args holds what looks like a key itself; write "${MY_VARIABLE}", and change the key',
      'reeve.toml:6: providers.x.env.A holds what looks like a key itself; name a variable that holds it in providers.x.secrets_env, and change the key',
      'reeve.toml:9: providers.x.headers.x-auth holds what looks like a key itself; write "${MY_VARIABLE}", and change the key',
    ])
    const asked = toml('[providers.x]\nkind = "openai"\nheaders = { x-auth = "Bearer ${MINE}" }\n')
    expect((await load({ ...asked, env: { MINE: secret } })).warnings).toEqual([])
  })

  it('warns of a key written into a header', async () => {
    const { warnings } = await load(toml('[providers.x]\nkind = "openai"\nheaders = { Authorization = "Bearer abc", x-run = "{run}" }\n'))
    expect(warnings).toEqual(['providers.x.headers holds Authorization: keep its value in a variable, as "${MY_VARIABLE}".'])
  })
})
