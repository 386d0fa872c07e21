import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { TOY_FILES, testApp } from '../../test/support/app.ts'
import { writeFiles } from '../../test/support/folder.ts'
import { makeRepository } from '../../test/support/repository.ts'
import { soon, toySubmit } from '../../test/support/toy-runs.ts'
import type { Client, InputOf } from '../client/client.ts'
import { type Actor, localUser } from '../core/actor.ts'

async function setUp() {
  const project = makeRepository(TOY_FILES)
  const toys = testApp(project)
  const app = toys.serve()
  const store = await app.store()
  const as = (actor: Actor, cwd: string | null = null) => app.as({ actor, cwd, env: null })
  return { project, home: toys.home, store, as, me: as(localUser('ada'), project) }
}

async function all(client: Client, input: InputOf<'events.watch'> = {}): Promise<string[]> {
  const seen: string[] = []
  for await (const event of client.stream('events.watch', input, soon())) {
    seen.push(`${event.run} ${event.type}`)
  }
  return seen
}

it('gives the events of the project, of all projects, of runs, of types, and those to come', async () => {
  const { project, store, me } = await setUp()
  const [mine, other] = [await toySubmit(store, 'a', { project }), await toySubmit(store, 'b', { project: '/other' })]
  await store.cancel(mine.id, 'ada')
  expect(await all(me)).toEqual([`${mine.id} run.queued`, `${mine.id} run.finished`])
  expect(await all(me, { all: true })).toEqual([`${mine.id} run.queued`, `${other.id} run.queued`, `${mine.id} run.finished`])
  expect(await all(me, { runs: [other.id] })).toEqual([`${other.id} run.queued`])
  expect(await all(me, { all: true, types: ['run.fin*'], after: 0 })).toEqual([`${mine.id} run.finished`])

  const seen: string[] = []
  const leave = new AbortController()
  const following = (async () => {
    for await (const it of me.stream('events.watch', { all: true, follow: true }, leave.signal)) seen.push(it.type)
  })()
  // It begins with what comes after its first look at the store.
  await expect
    .poll(async () => {
      await store.append(other.id, null, 'agent.said', { text: 'x' })
      return seen[0]
    })
    .toBe('agent.said')
  leave.abort()
  await following
  await expect(all(me, { types: ['run.done'] })).rejects.toThrow('no type of event is like "run.done"; allowed: run.queued, ')
})

it('shows a key nothing of projects that it may not see', async () => {
  const { project, store, as } = await setUp()
  const [mine, other] = [await toySubmit(store, 'a', { project }), await toySubmit(store, 'b', { project: '/other' })]
  const key = as({ kind: 'key', name: 'key:ci', role: 'viewer', projects: [project] })
  expect(await all(key, { all: true })).toEqual([`${mine.id} run.queued`])
  await expect(all(key, { runs: [other.id] })).rejects.toMatchObject({ code: 'run_not_found' })
  const none = as({ kind: 'key', name: 'key:none', role: 'viewer', projects: [] })
  expect(await all(none, { all: true })).toEqual([])
  await expect(key.call('webhooks.list', {})).rejects.toMatchObject({ code: 'forbidden' })
})

it('lists and tries the webhooks of the user', async () => {
  const { home, store, me } = await setUp()
  const got: string[] = []
  const server = createServer((request, response) => {
    got.push(String(request.headers['webhook-id']))
    response.writeHead(request.url === '/no' ? 500 : 200).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const config = `[webhooks.chat]\nurl = "${url}/in"\n[webhooks.bad]\nurl = "${url}/no"\nsecret_env = "NO_SUCH_KEY"\n[webhooks.no]\nurl = "${url}/no"\n`
  writeFiles(join(home, 'reeve/config'), { 'config.toml': config })
  await store.webhooks.begin(['chat'])

  expect((await me.call('webhooks.list', {})).webhooks).toMatchObject([
    { name: 'chat', url: `${url}/in`, signed: false, position: 0, last: null, problems: [] },
    { name: 'bad', position: null, problems: ['the variable NO_SUCH_KEY is not set'] },
    { name: 'no', events: ['run.finished', 'run.waiting', 'approval.asked'] },
  ])
  const tried = await me.call('webhooks.test', { webhook: 'chat' })
  expect(tried).toMatchObject({ webhook: 'chat', answer: 200, problem: null })
  expect(got).toEqual([tried.message])
  expect(await me.call('webhooks.test', { webhook: 'no' })).toMatchObject({ answer: 500, problem: 'it answered 500' })
  const problem = 'nothing was sent: the variable NO_SUCH_KEY is not set'
  expect(await me.call('webhooks.test', { webhook: 'bad' })).toMatchObject({ answer: null, problem })
  expect(await me.call('webhooks.deliveries', { webhook: 'chat' })).toEqual({ deliveries: [] })
  await expect(me.call('webhooks.test', { webhook: 'chta' })).rejects.toThrow('No webhook "chta". Configured webhooks: chat, bad, no.')
})
