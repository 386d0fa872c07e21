import { expect, it } from 'vitest'
import { TOY_FILES, testApp } from '../../test/support/app.ts'
import { makeRepository } from '../../test/support/repository.ts'
import type { Client } from '../client/client.ts'
import { ROUTE_ALIASES, type RouteAlias, taskState } from './aliases.ts'

function alias(route: string): RouteAlias {
  const found = ROUTE_ALIASES.find((it) => it.route === route)
  if (!found) throw new Error(`There is no alias ${route}.`)
  return found
}

/** Calls a route of an older system with a client, as the HTTP face does. */
async function ask(client: Client, route: string, input: Record<string, unknown>): Promise<Record<string, unknown>> {
  const it = alias(route)
  const read = it.input.parse(input)
  return (await it.run((name, given) => client.call(name, given), read)) as Record<string, unknown>
}

function opened(): Client {
  return testApp(makeRepository(TOY_FILES)).open()
}

const TASK = { id: 'fix-prices', title: 'Fix prices', description: 'Round them.', role: 'backend' }

it('takes a task, keeps its unknown fields, and tells its state by its id', async () => {
  const client = opened()
  const answer = await ask(client, 'POST /tasks', { ...TASK, ticket: 'A-1' })
  expect(answer).toEqual({ job_id: expect.any(String), task_id: 'fix-prices' })
  const run = String(answer['job_id'])
  expect((await client.call('runs.get', { run })).task.context).toEqual({ ticket: 'A-1' })

  const queued = { id: 'fix-prices', job_id: run, role: 'backend', branch: null, state: 'queued', last_error: null }
  expect(await ask(client, 'GET /tasks/{id}', { id: 'fix-prices' })).toEqual(queued)
  expect(await ask(client, 'GET /tasks', {})).toEqual([queued])

  await client.call('runs.cancel', { run })
  expect(await ask(client, 'GET /tasks/{id}', { id: 'fix-prices' })).toMatchObject({
    state: 'error',
    last_error: expect.stringMatching(/^Stopped by/),
  })
})

it('lists a task once, by its newest run', async () => {
  const client = opened()
  const first = await ask(client, 'POST /tasks', TASK)
  const again = await ask(client, 'POST /tasks', TASK)
  expect(await ask(client, 'GET /tasks', {})).toMatchObject([{ job_id: again['job_id'] }])
  expect(first['job_id']).not.toBe(again['job_id'])
})

it('says no task where there is none', async () => {
  await expect(ask(opened(), 'GET /tasks/{id}', { id: 'nothing' })).rejects.toThrow('No run "nothing".')
})

it('restarts a run as it was, whoever has sent the key of that before', async () => {
  const project = makeRepository(TOY_FILES)
  const client = testApp(project).open()
  const { runs } = await client.call('runs.submit', { sentence: 'Mine', workflow: 'fine' })
  const run = runs[0]?.id ?? ''
  await client.call('runs.submit', { sentence: 'Theirs', workflow: 'fine', key: `restart/${run}` })
  expect((await client.call('runs.restart', { run })).runs[0]?.task.title).toBe('Mine')
})

it('starts a workflow, pauses, resumes, restarts and stops it', async () => {
  const client = opened()
  const start = { workflowType: 'saas', configuration: { task: 'Add a page' }, autonomyLevel: 'assisted' }
  const begun = await ask(client, 'POST /api/v1/workflows/start', start)
  expect(begun).toMatchObject({ status: 'pending', progress: 0, completedAt: null })
  const id = begun['workflowId']
  const run = await client.call('runs.get', { run: String(id) })
  expect(run).toMatchObject({ workflow: 'build', task: { title: 'Add a page', kind: 'feature' } })

  const control = (action: string) => ask(client, 'POST /api/v1/workflows/{id}/control', { id, action })
  expect(await control('pause')).toMatchObject({ workflowId: id })
  expect(await control('resume')).toMatchObject({ workflowId: id, status: 'pending' })
  const fresh = await control('restart')
  expect(fresh).toMatchObject({ status: 'pending' })
  expect(fresh['workflowId']).not.toBe(id)
  expect(await control('restart'), 'again: the same fresh run').toMatchObject({ workflowId: fresh['workflowId'] })
  expect(await ask(client, 'GET /api/v1/workflows/{id}/status', { id })).toMatchObject({ status: 'stopped' })
  expect(await ask(client, 'POST /api/v1/workflows/{id}/control', { id: fresh['workflowId'], action: 'stop' })).toMatchObject({
    status: 'stopped',
  })
})

it.each([
  ['workflowType', { workflowType: 'app', configuration: { task: 'x' } }],
  ['configuration', { configuration: {} }],
  ['autonomyLevel', { configuration: { task: 'x' }, autonomyLevel: 'full' }],
])('refuses a wrong %s', (_field, input) => {
  expect(alias('POST /api/v1/workflows/start').input.safeParse(input).success).toBe(false)
})

it('keeps what the gates said apart from what went wrong otherwise', () => {
  expect(taskState({ status: 'failed', reason: 'gates' })).toBe('failed')
  expect(taskState({ status: 'failed', reason: 'timeout' })).toBe('error')
  expect(taskState({ status: 'waiting', reason: 'dependency' })).toBe('queued')
  expect(taskState({ status: 'waiting', reason: 'approval' })).toBe('running')
})
