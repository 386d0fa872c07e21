import { expect, it } from 'vitest'
import { TOY_FILES, testApp } from '../../test/support/app.ts'
import { makeRepository } from '../../test/support/repository.ts'
import { startScriptedServer } from '../models/scripted-server/server.ts'

const providers = (url: string) => `[providers]
order = ["far", "near"]

[providers.near]
kind = "openai-compatible"
base_url = "${url}/v1"
dialect = "generic"
model = "m"
requests_per_minute = 30
max_retries = 0

[providers.far]
kind = "openai"
model = "gpt"
api_key_env = "FAR_KEY"

[providers.program]
kind = "command"
binary = "no-such-agent"
priority = 1
`

async function setUp(env: Record<string, string> = {}) {
  const server = await startScriptedServer({ steps: [{ say: 'OK' }] })
  const project = makeRepository({ ...TOY_FILES, 'reeve.toml': providers(server.url) })
  const client = testApp(project, env).open()
  return { server, client }
}

it('lists providers in the order in which they are asked, with what is wrong and what to do', async () => {
  const { client, server } = await setUp()
  const { providers: found } = await client.call('providers.list', {})
  await server.close()
  expect(found.map((it) => [it.name, it.usable, it.access])).toEqual([
    ['program', false, 'none'],
    ['far', false, 'missing'],
    ['near', true, 'none'],
  ])
  expect(found[0]).toMatchObject({
    detail: 'not asked: reeve.toml:19: provider "program" runs "no-such-agent"',
    hint: 'If it should: reeve trust',
  })
  expect(found[1]?.detail).toContain('needs a key in the environment variable FAR_KEY')
  expect(found[2]).toMatchObject({ pricing: 'free', breaker: { state: 'closed' }, limits: { concurrent: null, requests_per_minute: 30 } })
})

it('knows a plug-in that is an agent', async () => {
  const agent = 'export const plugin = { kind: "agent", create: () => ({ model: "m", run: async () => { throw new Error("no") } }) }\n'
  const project = makeRepository({
    ...TOY_FILES,
    'reeve.toml': '[providers.mine]\nkind = "plugin"\nmodule = "./mine.mjs"\n',
    'mine.mjs': agent,
  })
  const client = testApp(project).open()
  await client.call('project.trust', {})
  expect((await client.call('providers.list', {})).providers).toMatchObject([
    { name: 'mine', usable: true, detail: 'The module is loaded.' },
  ])
})

it('tries one for real with one word, in the sandbox and without a run', async () => {
  const { client, server } = await setUp()
  const tried = await client.call('providers.test', { provider: 'near' })
  await server.close()
  expect(tried, tried.problem).toMatchObject({ ok: true, said: 'OK', usage: { requests: 1 }, checks: [{ name: 'it answers', ok: true }] })
  expect(await client.call('runs.list', { all: true })).toEqual({ runs: [], next: null })
})

it('tries one whose files lie in the project', async () => {
  const project = makeRepository({
    ...TOY_FILES,
    'reeve.toml': '[providers.mine]\nkind = "scripted"\nfile = "replies.yaml"\n',
    'replies.yaml': 'replies:\n  - text: OK\n',
  })
  const tried = await testApp(project).open().call('providers.test', { provider: 'mine' })
  expect(tried, tried.problem).toMatchObject({ ok: true, said: 'OK' })
})

it('tries one by itself without its server and without its key', async () => {
  const { client, server } = await setUp()
  await server.close()
  const tried = await client.call('providers.test', { provider: 'far', offline: true })
  expect(tried, tried.problem).toMatchObject({ ok: true, usage: { inputTokens: 4006, outputTokens: 200, requests: 4 } })
  expect(tried.checks.map((it) => it.name)).toEqual(['it says that it is done', 'it edits files', 'it runs commands', 'its usage is seen'])
  const failed = await client.call('providers.test', { provider: 'near' })
  expect(failed).toMatchObject({ ok: false, class: 'network' })
})

it('says which providers there are when another is named, and which cannot be led elsewhere', async () => {
  const { client, server } = await setUp()
  await server.close()
  await expect(client.call('providers.test', { provider: 'nobody' })).rejects.toMatchObject({
    message: 'No provider "nobody". Configured providers: near, far, program.',
  })
  await expect(client.call('providers.test', { provider: 'program', offline: true, trust: true })).rejects.toThrow(
    'Provider "program" (command) cannot be led to a server of this machine',
  )
  expect(await client.call('providers.reset', { provider: 'near' })).toEqual({ provider: 'near' })
})
