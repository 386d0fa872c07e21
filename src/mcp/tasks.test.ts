import { expect, it } from 'vitest'
import { rawHost, sharedProduct } from '../../test/support/mcp.ts'
import type { Client } from '../client/client.ts'
import { openTask, sealTask } from './tasks.ts'

const TASKS = { extensions: { 'io.modelcontextprotocol/tasks': {} }, elicitation: { form: {} } }

const shared = sharedProduct()

async function work(client: Client, task: string): Promise<void> {
  for await (const _ of client.stream('runs.work', { runs: [task.split('.')[0] ?? ''] }));
}

const run = (workflow: string) => ({ name: 'ai_coder_run', arguments: { task: 'Do it', workflow } })

it('gives a run as a task to a host that follows tasks, with its result in the end', async () => {
  const { client } = shared
  const host = rawHost(client, TASKS)
  const { result: created } = await host('tools/call', run('fine'))
  expect(created).toMatchObject({ resultType: 'task', status: 'working', ttlMs: null, pollIntervalMs: 2000 })
  const { taskId } = created as { taskId: string }
  expect((await host('tasks/get', { taskId })).result).toMatchObject({ resultType: 'complete', taskId, status: 'working' })
  await work(client, taskId)
  const { result } = await host('tasks/get', { taskId })
  expect(result).toMatchObject({ status: 'completed', result: { structuredContent: { state: 'succeeded', message: 'It is done.' } } })
  expect((result as { result: object }).result).not.toHaveProperty('isError')
  expect((await host('tasks/cancel', { taskId })).result, 'what has ended stays as it is').toMatchObject({ resultType: 'complete' })
})

it('says a red verdict as the result of a task that has done its work', async () => {
  const { client } = shared
  const host = rawHost(client, TASKS)
  const { taskId } = (await host('tools/call', run('red'))).result as { taskId: string }
  await work(client, taskId)
  expect((await host('tasks/get', { taskId })).result).toMatchObject({ status: 'completed', result: { isError: true } })
})

it('asks through the task, and goes on with the answer', async () => {
  const { client } = shared
  const host = rawHost(client, TASKS)
  const { taskId } = (await host('tools/call', run('asks'))).result as { taskId: string }
  await work(client, taskId)
  expect((await host('tasks/get', { taskId })).result).toMatchObject({
    status: 'input_required',
    inputRequests: { land: { method: 'elicitation/create', params: { message: expect.stringContaining('Shall it land?') } } },
  })
  const say = (land: unknown) => host('tasks/update', { taskId, inputResponses: { land } })
  for (const nothing of [{ action: 'cancel' }, { action: 'accept', content: { decision: 'maybe' } }, 'yes'])
    expect((await say(nothing)).result).toMatchObject({ resultType: 'complete' })
  expect((await host('tasks/get', { taskId })).result, 'still open').toMatchObject({ status: 'input_required' })
  await say({ action: 'accept', content: { decision: 'approve' } })
  await work(client, taskId)
  expect((await host('tasks/get', { taskId })).result).toMatchObject({
    status: 'completed',
    result: { structuredContent: { state: 'succeeded' } },
  })
})

it('is cancelled as a task, and seen so', async () => {
  const host = rawHost(shared.client, TASKS)
  const { taskId } = (await host('tools/call', run('hangs'))).result as { taskId: string }
  expect((await host('tasks/cancel', { taskId })).result).toMatchObject({ resultType: 'complete' })
  expect((await host('tasks/get', { taskId })).result).toMatchObject({ status: 'cancelled' })
})

it('answers as ai_coder_create to a host that does not follow tasks, and lets it ask for none', async () => {
  const host = rawHost(shared.client, {})
  expect((await host('tools/call', run('fine'))).result).toMatchObject({ resultType: 'complete', structuredContent: { state: 'queued' } })
  for (const method of ['tasks/get', 'tasks/cancel', 'tasks/update'])
    expect((await host(method, { taskId: 'r1.x', inputResponses: {} })).error, method).toMatchObject({ code: -32021 })
})

it('knows no task that it has not given to this caller', async () => {
  const { client } = shared
  const ada = rawHost(client, TASKS)
  const { taskId } = (await ada('tools/call', run('fine'))).result as { taskId: string }
  const bob = rawHost(client, TASKS, 'bob')
  const [id = ''] = taskId.split('.')
  for (const guess of [id, `${id}.`, `${id}.${'A'.repeat(27)}`, `.${taskId}`, `${taskId}x`, ''])
    expect((await ada('tasks/get', { taskId: guess })).error, guess).toMatchObject({ code: -32602 })
  expect((await bob('tasks/get', { taskId })).error).toMatchObject({ code: -32602 })
  expect((await bob('tasks/cancel', { taskId })).error).toMatchObject({ code: -32602 })
})

it('makes handles that only their key and their caller open', () => {
  const key = Buffer.alloc(32, 1)
  const task = sealTask(key, 'user:ada', 'r0')
  expect(openTask(key, 'user:ada', task)).toBe('r0')
  expect(openTask(key, 'key:ada', task)).toBeNull()
  expect(openTask(Buffer.alloc(32, 2), 'user:ada', task)).toBeNull()
})
