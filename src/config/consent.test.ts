import { expect, it } from 'vitest'
import { temporaryFolder, writeFiles } from '../../test/support/folder.ts'
import { loadSettings } from './load.ts'

async function consents(project: string, { user = '', env = {} }: { user?: string; env?: Record<string, string> } = {}) {
  const userDir = temporaryFolder()
  writeFiles(userDir, { 'config.toml': user })
  const readProjectFile = async (path: string) => (path === 'reeve.toml' ? project : null)
  return (await loadSettings({ projectRoot: '/nowhere', readProjectFile, env, userDir })).consents
}

const provider = (lines: string, url = 'https://models.example/v1') =>
  `[providers.x]\nkind = "openai-compatible"\nbase_url = "${url}"\n${lines}\n`

it('asks when a project names both the server and the key that goes there', async () => {
  expect(await consents(provider('api_key_env = "ANTHROPIC_API_KEY"'))).toMatchObject([
    { provider: 'x', where: 'reeve.toml:3', what: 'sends the key in ANTHROPIC_API_KEY to https://models.example/v1' },
  ])
})

it("asks when a project leads the user's own provider elsewhere", async () => {
  const user = '[providers.x]\nkind = "anthropic"\napi_key_env = "K"\nheaders = { x-team = "${TEAM}" }\n'
  const found = await consents('[providers.x]\nbase_url = "https://models.example"\n', { user, env: { TEAM: 't' } })
  expect(found[0]?.what).toBe('sends the key in K and your header "x-team" to https://models.example')
})

it('asks when values of variables would go there, in whatever key', async () => {
  const env = { AWS: 'secret', TEAM: 't' }
  const sent = await consents(provider('headers = { a = "Bearer ${AWS}" }'), { env })
  expect(sent[0]?.what).toBe('sends the value of AWS to https://models.example/v1')
  expect((await consents(provider('model = "${AWS:-m}"', 'https://models.example/${TEAM}/v1'), { env }))[0]?.what).toBe(
    'sends the value of TEAM and the value of AWS to https://models.example/t/v1',
  )
})

it('takes a name that only looks like this machine for what it is', async () => {
  for (const host of ['127.0.0.1.models.example', 'localhost.models.example', '127.1.models.example']) {
    expect(await consents(provider('api_key_env = "K"', `https://${host}/v1`)), host).toHaveLength(1)
  }
})

it('does not ask about this machine, about prompts alone, nor about what the user has said', async () => {
  for (const host of ['127.0.0.1:11434', 'localhost:1', '[::1]:1']) {
    expect(await consents(provider('api_key_env = "K"', `http://${host}/v1`)), host).toEqual([])
  }
  expect(await consents(provider('headers = { x-run = "{run}" }'))).toEqual([])
  expect(await consents('', { user: provider('api_key_env = "K"') })).toEqual([])
  const env = { REEVE_PROVIDERS__X__BASE_URL: 'https://mine.example/v1' }
  expect(await consents(provider('api_key_env = "K"'), { env })).toEqual([])
})

it('asks again when the project says anything else about the provider', async () => {
  const hash = async (text: string, user = '') => (await consents(text, { user }))[0]?.hash
  const first = await hash(provider('api_key_env = "K"'))
  expect(await hash(`${provider('api_key_env = "K"')}[runs]\nmax_attempts = 2\n`)).toBe(first)
  expect(await hash(provider('api_key_env = "K2"'))).not.toBe(first)
  expect(await hash(provider('api_key_env = "K"', 'https://other.example/v1'))).not.toBe(first)
  expect(await hash(provider('api_key_env = "K"\nheaders = { a = "b" }'))).not.toBe(first)
})

it('asks about a key that the kind finds by itself', async () => {
  const text = '[providers.x]\nkind = "anthropic"\nbase_url = "https://models.example"\n'
  expect(await consents(text)).toMatchObject([{ where: 'reeve.toml:3', what: 'sends your key for anthropic to https://models.example' }])
})

it('asks before native code reads a file that a project names, not for a model that the user has added', async () => {
  const model = async (file: string) =>
    (await consents(`[providers.x]\nkind = "llamacpp"\nfile = "${file}"\n`)).map((it) => `${it.where}: ${it.what}`)
  expect(await model('models/a')).toEqual(['reeve.toml:3: opens the model file "models/a"'])
  expect(await model('a.GGUF')).toEqual(['reeve.toml:3: opens the model file "a.GGUF"'])
  expect(await model('coder')).toEqual([])
})

it('asks before a project is answered with a recording that may be of another one', async () => {
  const asked = async (kind: string, file: string) =>
    (await consents(`[providers.x]\nkind = "${kind}"\nfile = "${file}"\n`)).map((it) => `${it.where}: ${it.what}`)
  for (const file of ['/home/ada/r.ndjson', '../b/r.ndjson', 'a/../../b.ndjson', 'r1m7wsb10eps4t'])
    expect(await asked('replay', file)).toEqual([`reeve.toml:3: answers with the recording "${file}"`])
  expect(await asked('replay', 'recordings/days.ndjson')).toEqual([])
  expect(await asked('scripted', 'replies.yaml')).toEqual([])
  expect(await consents('', { user: '[providers.x]\nkind = "replay"\nfile = "r1m7wsb10eps4t"\n' })).toEqual([])
})

it('asks before it runs a program, loads a module or opens a host that a project names', async () => {
  const whats = async (text: string, user = '') => (await consents(text, { user })).map((it) => it.what)
  expect(await whats('[providers.x]\nkind = "command"\nbinary = "/opt/agent"\nargs = ["-p", "{prompt}"]\n')).toEqual([
    'runs "/opt/agent" "-p" "{prompt}"',
  ])
  expect(await whats('[providers.x]\nkind = "plugin"\nmodule = "./p.mjs"\n')).toEqual(['loads the module "./p.mjs" into reeve itself'])
  const mine = '[providers.x]\nkind = "claude"\nbinary = "/opt/claude"\n'
  expect(
    await whats('[providers.x]\nargs = ["--add-dir", "/"]\nhosts = ["a.example"]\nsecrets_env = ["K"]\nenv = { A = "b" }\n', mine),
  ).toEqual(['runs "/opt/claude" "--add-dir" "/"', 'sets A for its program', 'gives its program K', 'lets its program reach a.example'])
  expect(await whats('[providers.x]\nmeter = false\n', mine)).toEqual(['gives its program your key itself'])
  expect(await whats('[providers.x]\nmodel = "m"\n', mine), 'a model is the project’s to choose').toEqual([])
  expect(await whats('[providers.x]\nkind = "claude"\n'), 'the program that is installed here').toEqual([])
})

it('asks in one line, whatever the project has written', async () => {
  const [asked] = await consents('[providers.x]\nkind = "plugin"\nmodule = "./a\\nreeve.toml:1: all is well\\u202e"\n')
  expect(asked?.what).toBe('loads the module "./a reeve.toml:1: all is well " into reeve itself')
})

it('asks before a file of yours is used as a key, wherever that goes', async () => {
  const whats = async (text: string, user = '') => (await consents(text, { user })).map((it) => `${it.where}: ${it.what}`)
  const file = 'api_key_file = "~/.netrc"'
  expect(await whats(`[providers.x]\nkind = "anthropic"\n${file}\n`)).toEqual([
    'reeve.toml:3: sends what is in the file ~/.netrc to the models of anthropic',
  ])
  expect(await whats(provider(file, 'http://127.0.0.1:1/v1'))).toEqual([
    'reeve.toml:4: sends what is in the file ~/.netrc to http://127.0.0.1:1/v1',
  ])
  const mine = '[providers.x]\nkind = "openai-compatible"\nbase_url = "https://mine.example/v1"\n'
  expect(await whats(`[providers.x]\n${file}\n`, mine)).toEqual([
    'reeve.toml:2: sends what is in the file ~/.netrc to https://mine.example/v1',
  ])
  expect(await whats('', `${mine}${file}\n`), 'the user’s own').toEqual([])
})

it('asks before the value of a variable goes to a server that the project does not name', async () => {
  const env = { AWS: 'secret' }
  expect(await consents('[providers.x]\nkind = "claude"\nmodel = "${AWS}"\n', { env })).toMatchObject([
    { what: 'sends the value of AWS to the models of claude' },
  ])
})

it("asks before a header of the project goes to the user's own server, which may lead elsewhere by it", async () => {
  const user = '[providers.x]\nkind = "openai-compatible"\nbase_url = "https://gateway.example/v1"\napi_key_env = "K"\n'
  const found = await consents('[providers.x.headers]\nx-target-url = "https://evil.example"\n', { user })
  expect(found.map((it) => it.what)).toEqual(['sends the header "x-target-url" to https://gateway.example/v1'])
})

it('asks before options of the project are given to a module of the user, which may send its key where they say', async () => {
  const user = '[providers.x]\nkind = "plugin"\nmodule = "/opt/p.mjs"\napi_key_env = "K"\n'
  const found = await consents('[providers.x.options]\nurl = "https://evil.example"\n', { user })
  expect(found.map((it) => it.what)).toEqual(['gives the module "/opt/p.mjs" the options {"url":"https://evil.example"}'])
})

it('asks before a program is shown your log-in', async () => {
  const text = '[providers.x]\nkind = "claude"\nlogin = true\n'
  expect(await consents(text)).toMatchObject([{ where: 'reeve.toml:3', what: 'shows its program the log-in that you have with it' }])
  expect(await consents('[providers.x]\nmodel = "m"\n', { user: text })).toEqual([])
})

it('asks before calls are counted at prices of the project, which decide when a budget is used up', async () => {
  const mine = '[providers.x]\nkind = "anthropic"\nmodel = "claude-x-2026-01-01"\n'
  const whats = async (text: string, user = mine) => (await consents(text, { user })).map((it) => `${it.where}: ${it.what}`)
  expect(await whats('[providers.x]\nprice = { input = 0, output = 0 }\n')).toEqual([
    'reeve.toml:2: counts its calls at $0 and $0 for a million tokens in and out',
  ])
  const cheap = await consents('[prices.claude-x]\ninput = 0.1\noutput = 0.2\n', { user: mine })
  expect(cheap[0]?.what).toBe('counts calls of "claude-x" at $0.1 and $0.2 for a million tokens in and out')
  const free = await consents('[prices.claude-x]\ninput = 0\noutput = 0.2\n', { user: mine })
  expect(free[0]?.hash, 'asked again at another price').not.toBe(cheap[0]?.hash)
  expect(await whats('[prices.other]\ninput = 0\noutput = 0\n'), 'of no model that is used').toEqual([])
  expect(await whats('', `${mine}price = { input = 0, output = 0 }\n`), 'the user’s own').toEqual([])
  expect(await whats('[providers.x]\nprice = { input = 1, output = 2 }\n', '[providers.x]\nkind = "ollama"\nmodel = "m"\n')).toEqual([])
})
