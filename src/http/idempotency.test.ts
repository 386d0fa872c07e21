import { expect, it } from 'vitest'
import { TOY_FILES } from '../../test/support/app.ts'
import { testHttp } from '../../test/support/http.ts'
import { makeRepository } from '../../test/support/repository.ts'

const KEY = { 'idempotency-key': 'k-1' }

async function problem(answer: Response): Promise<string> {
  return `${answer.status} ${((await answer.json()) as { detail?: string }).detail ?? ''}`
}

it('gives the same answer to the same request with the same key, and does it once, also when both come together', async () => {
  const project = makeRepository(TOY_FILES)
  const { ask, app } = testHttp()
  const body = { project, sentence: 'Do it', workflow: 'fine' }
  const [one, two] = await Promise.all([ask('POST /api/v1/runs', body, { headers: KEY }), ask('POST /api/v1/runs', body, { headers: KEY })])
  const three = await ask('POST /api/v1/runs', body, { headers: KEY })
  const texts = await Promise.all([one, two, three].map((it) => it.text()))
  expect(new Set(texts).size, texts.join('\n')).toBe(1)
  expect([one, two, three].map((it) => it.headers.get('idempotency-replayed'))).toEqual([null, 'true', 'true'])
  expect(await (await app.store()).listRuns({})).toHaveLength(1)
})

it('refuses the key for another request, and leaves it to another caller', async () => {
  const project = makeRepository(TOY_FILES)
  const { ask, app } = testHttp()
  const body = { project, sentence: 'Do it', workflow: 'fine' }
  await ask('POST /api/v1/runs', body, { headers: KEY })
  expect(await problem(await ask('POST /api/v1/runs', { ...body, sentence: 'Do more' }, { headers: KEY }))).toBe(
    '409 The idempotency key "k-1" was used before with another request.',
  )
  expect((await ask('POST /api/v1/runs', body, { headers: KEY, token: 'operator' })).headers.get('idempotency-replayed')).toBeNull()
  expect(await (await app.store()).listRuns({})).toHaveLength(2)
})

it('leaves it to a key that was given the name of an older one', async () => {
  const project = makeRepository(TOY_FILES)
  const { ask } = testHttp({
    authenticate: async (id) => ({ kind: 'key', name: 'key:ci', id: String(id), role: 'operator', projects: null }),
  })
  const submit = (token: string) => ask('POST /api/v1/runs', { project, sentence: 'Do it', workflow: 'fine' }, { headers: KEY, token })
  const answers = [await submit('old'), await submit('new'), await submit('new')]
  expect(answers.map((it) => it.headers.get('idempotency-replayed'))).toEqual([null, null, 'true'])
})

it('keeps no failure: the same key may try again', async () => {
  const { ask } = testHttp()
  expect((await ask('POST /api/v1/runs/nothing/pause', {}, { headers: KEY })).status).toBe(404)
  expect((await ask('POST /api/v1/runs/other/pause', {}, { headers: KEY })).status).toBe(404)
})

it('makes no second run where the daemon died before it had kept its answer', async () => {
  const project = makeRepository(TOY_FILES)
  const forgetful = { findAnswer: async () => null, keepAnswer: async () => undefined }
  const { ask, app } = testHttp({ answers: forgetful })
  const body = { project, sentence: 'Do it', workflow: 'fine' }
  for (let n = 0; n < 2; n++) expect((await ask('POST /api/v1/runs', body, { headers: KEY })).status).toBe(200)
  expect(await (await app.store()).listRuns({})).toHaveLength(1)
})

it('takes no key that is none, and none where an answer is a secret', async () => {
  const { ask } = testHttp()
  expect(await problem(await ask('POST /api/v1/runs', {}, { headers: { 'idempotency-key': 'a b' } }))).toContain(
    'Idempotency-Key must be 1 to 200',
  )
  expect(await problem(await ask('POST /api/v1/keys', { name: 'ci', role: 'viewer' }, { headers: KEY }))).toContain(
    'takes no Idempotency-Key',
  )
})

it('is the same on the routes of older systems', async () => {
  const project = makeRepository(TOY_FILES)
  const { ask, app } = testHttp()
  const task = { project, id: 't', title: 't', description: 't', workflow: 'fine' }
  const [one, two] = [await ask('POST /tasks', task, { headers: KEY }), await ask('POST /tasks', task, { headers: KEY })]
  expect([one.status, two.status, two.headers.get('idempotency-replayed')]).toEqual([202, 202, 'true'])
  expect(await one.json()).toEqual(await two.json())
  expect(await (await app.store()).listRuns({})).toHaveLength(1)
})
