import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { TOY_FILES, testApp } from '../../test/support/app.ts'
import { temporaryFolder } from '../../test/support/folder.ts'
import { makeRepository } from '../../test/support/repository.ts'
import type { Client } from '../client/client.ts'
import type { Context } from './context.ts'
import { addTrust, untrusted } from './trust.ts'

const gateway = (url: string) =>
  `${TOY_FILES['reeve.toml']}[providers.gate]\nkind = "openai-compatible"\nbase_url = "${url}"\nmodel = "m"\napi_key_env = "MY_KEY"\n`

function setUp(url = 'https://models.example/v1') {
  const project = makeRepository({ ...TOY_FILES, 'reeve.toml': gateway(url) })
  const app = testApp(project, { MY_KEY: 'a-key-that-stays-here' })
  return { project, app, client: app.open() }
}

const submit = (client: Client, more = {}) => client.call('runs.submit', { sentence: 'Do it', workflow: 'fine', ...more })

it('refuses a run whose project decides where the key goes, and says what would go where', async () => {
  const { client } = setUp()
  await expect(submit(client)).rejects.toMatchObject({
    code: 'not_trusted',
    exit: 3,
    message: expect.stringContaining('reeve.toml:6: provider "gate" sends the key in MY_KEY to https://models.example/v1'),
    hint: expect.stringContaining('reeve trust'),
  })
  expect(await client.call('runs.list', { all: true })).toEqual({ runs: [], next: null })
  expect((await submit(client, { trust: true })).runs, 'this time').toHaveLength(1)
  await expect(submit(client), 'the next time').rejects.toMatchObject({ code: 'not_trusted' })
})

it('takes runs once the user has agreed, until the project says something else', async () => {
  const { client, project, app } = setUp()
  expect(await client.call('project.trust', {})).toEqual({
    project,
    trusted: [{ provider: 'gate', where: 'reeve.toml:6', what: 'sends the key in MY_KEY to https://models.example/v1' }],
  })
  expect((await submit(client)).runs).toHaveLength(1)
  expect(statSync(join(app.home, 'reeve/state/trust.json')).mode & 0o777).toBe(0o600)
  writeFileSync(join(project, 'reeve.toml'), gateway('https://other.example/v1'))
  await expect(submit(client)).rejects.toMatchObject({ message: expect.stringContaining('https://other.example/v1') })
})

it('takes the consent to one project for no other', async () => {
  const { client, app } = setUp()
  await client.call('project.trust', {})
  const neighbour = makeRepository({ ...TOY_FILES, 'reeve.toml': gateway('https://models.example/v1') }, 'neighbour')
  await expect(submit(app.open({ cwd: neighbour }))).rejects.toMatchObject({ code: 'not_trusted' })
})

it('takes a trust file that cannot be read as no consent', async () => {
  const { client, app } = setUp()
  await client.call('project.trust', {})
  writeFileSync(join(app.home, 'reeve/state/trust.json'), '["everything"]')
  await expect(submit(client)).rejects.toMatchObject({ code: 'not_trusted' })
})

it('asks nothing about a server on this machine', async () => {
  const { client } = setUp('http://127.0.0.1:1/v1')
  expect((await submit(client)).runs).toHaveLength(1)
})

it('lets a doctor send nothing either', async () => {
  const { client } = setUp()
  const { checks } = await client.call('doctor.check', {})
  expect(checks.find((it) => it.name === 'gate')).toMatchObject({
    detail: 'not asked: reeve.toml:6: provider "gate" sends the key in MY_KEY to https://models.example/v1',
    hint: 'If it should: reeve trust',
  })
})

it('is added for a project, beside what its user has agreed to before, and for no other', async () => {
  const state = temporaryFolder()
  const context = { folders: { state } } as Pick<Context, 'folders'>
  const about = (hash: string) => ({ provider: 'claude', where: 'reeve.toml:3', what: 'shows its program the log-in', hash })
  await addTrust(context, '/p', [about('a')])
  await addTrust(context, '/p', [about('b')])
  const open = (root: string) => untrusted(context, root, [about('a'), about('b'), about('c')])
  expect((await open('/p')).map((it) => it.hash)).toEqual(['c'])
  expect((await open('/q')).map((it) => it.hash)).toEqual(['a', 'b', 'c'])
  expect(statSync(join(state, 'trust.json')).mode & 0o777).toBe(0o600)
})
