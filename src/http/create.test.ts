import { describe, expect, it } from 'vitest'
import { TOY_FILES } from '../../test/support/app.ts'
import { type TestHttp, testHttp } from '../../test/support/http.ts'
import { makeRepository } from '../../test/support/repository.ts'

async function detail(answer: Response): Promise<string> {
  return `${answer.status} ${((await answer.json()) as { detail?: string }).detail ?? ''}`
}

async function submit({ ask }: TestHttp, project: string, more: object = {}): Promise<string> {
  const answer = await ask('POST /api/v1/runs', { project, sentence: 'Do it', workflow: 'fine', ...more })
  const { runs } = (await answer.json()) as { runs: { id: string }[] }
  return runs[0]?.id ?? ''
}

async function ids({ ask }: TestHttp, query: string): Promise<{ ids: string[]; next: string | null }> {
  const { runs, next } = (await (await ask(`GET /api/v1/runs?${query}`)).json()) as { runs: { id: string }[]; next: string | null }
  return { ids: runs.map((it) => it.id), next }
}

describe('operations', () => {
  it('answers an operation with its output, by fields of the path, the query and the body', async () => {
    const project = makeRepository(TOY_FILES)
    const it = testHttp()
    const id = await submit(it, project)
    expect(await (await it.ask('GET /api/v1/runs?all=true&limit=5&status=queued&status=running')).json()).toMatchObject({
      runs: [{ id, status: 'queued' }],
      next: null,
    })
    expect(await (await it.ask(`GET /api/v1/runs/${id}`)).json()).toMatchObject({ id, status: 'queued' })
    expect(await (await it.ask(`POST /api/v1/runs/${id}/cancel`)).json()).toMatchObject({ run: { id, status: 'cancelled' } })
    expect(it.log).toContainEqual(
      expect.objectContaining({ method: 'GET', path: `/api/v1/runs/${id}`, route: '/api/v1/runs/{run}', status: 200, actor: 'tester' }),
    )
  })

  it('tells an error as a problem with its code, its sentence and its hint', async () => {
    const { ask } = testHttp()
    const answer = await ask('GET /api/v1/runs/nothing')
    expect(answer.status).toBe(404)
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    expect(await answer.json()).toEqual({
      type: 'urn:reeve:error:run_not_found',
      title: 'run not found',
      status: 404,
      code: 'run_not_found',
      detail: 'No run "nothing".',
      hint: 'List runs with: reeve ls',
      details: { run: 'nothing' },
    })
  })

  it('pages through a list that grows meanwhile, without a gap and without a double', async () => {
    const project = makeRepository(TOY_FILES)
    const it = testHttp()
    const text = [1, 2, 3, 4, 5].map((n) => `id: t${n}\ntitle: t\ndescription: t\nworkflow: fine\n`).join('---\n')
    const { runs } = (await (await it.ask('POST /api/v1/runs', { project, documents: [{ name: 't.yaml', text }] })).json()) as {
      runs: { id: string }[]
    }
    const made = runs.map((one) => one.id).toReversed()
    const first = await ids(it, 'all=true&limit=2')
    await submit(it, project)
    const second = await ids(it, `all=true&limit=2&after=${first.next}`)
    const third = await ids(it, `all=true&limit=2&after=${second.next}`)
    expect([...first.ids, ...second.ids, ...third.ids]).toEqual(made)
    expect(third.next).toBeNull()
  })
})

it('takes a pasted log in a text, and no control character in a name', async () => {
  const project = makeRepository(TOY_FILES)
  const { ask } = testHttp()
  const submit = (more: object) =>
    ask('POST /api/v1/runs', { project, sentence: 'Mend \u001b[31mthis\u001b[0m:\n\tline\u0007', workflow: 'fine', ...more })
  expect((await submit({})).status).toBe(200)
  expect(await detail(await submit({ workflow: 'fine\n' }))).toBe('400 the body has a control character at "workflow"')
  expect(await detail(await ask('POST /api/v1/runs/resume', { runs: ['\u001b[2J'] }))).toBe(
    '400 the body has a control character at "runs"',
  )
})

describe('methods and routes', () => {
  it.each([
    ['PUT /api/v1/runs', '405 "/api/v1/runs" does not take PUT; it takes GET, HEAD, POST.'],
    ['PATCH /api/v1/runs/x', '405 "/api/v1/runs/x" does not take PATCH; it takes GET, HEAD.'],
    ['DELETE /tasks', '405 "/tasks" does not take DELETE; it takes GET, HEAD, POST.'],
    ['GET /api/v1/nothing', '404 There is no "/api/v1/nothing" here.'],
    ['GET /api/v1/runs/', '404 There is no "/api/v1/runs/" here.'],
    ['GET /api/v1/runs/%E0%A4%A', '400 the path is not percent-encoded UTF-8'],
    ['GET /api/v1/runs/a%00b', '400 the path has a control character'],
    ['GET /api/v1/runs?project=a%0Ab', '400 the query has a control character'],
  ])('%s: %s', async (route, expected) => {
    const { ask } = testHttp()
    expect(await detail(await ask(route))).toBe(expected)
  })

  it('tells what a route takes, and answers HEAD like GET without a body', async () => {
    const { ask } = testHttp()
    const options = await ask('OPTIONS /api/v1/runs')
    expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, HEAD, POST, OPTIONS'])
    const head = await ask('HEAD /api/v1/runs?all=true')
    expect([head.status, await head.text()]).toEqual([200, ''])
    expect((await ask('HEAD /api/v1/runs/nothing')).status).toBe(404)
    expect((await ask('PUT /api/v1/runs')).headers.get('allow')).toBe('GET, HEAD, POST')
  })
})

describe('the routes of older systems', () => {
  it('submit, list and tell a task by their names', async () => {
    const project = makeRepository(TOY_FILES)
    const { ask } = testHttp()
    const body = `project: ${project}\nid: t-1\ntitle: A task\ndescription: What to do\nworkflow: fine\n`
    const submitted = await ask('POST /tasks', body, { headers: { 'content-type': 'application/yaml' } })
    expect(submitted.status).toBe(202)
    expect(await submitted.json()).toEqual({ job_id: expect.any(String), task_id: 't-1' })
    expect(await (await ask('GET /tasks/t-1')).json()).toMatchObject({ id: 't-1', state: 'queued', role: 'implementer' })
    expect(await (await ask('GET /tasks')).json()).toMatchObject([{ id: 't-1' }])
    expect((await ask('POST /tasks', body, { token: 'viewer', headers: { 'content-type': 'application/yaml' } })).status).toBe(403)
  })
})

describe('who says where it is', () => {
  it('is the command of this machine, over the socket: its calls come from there', async () => {
    const project = makeRepository(TOY_FILES)
    const { ask } = testHttp()
    const put = await ask('PUT /caller', { cwd: project, env: { PATH: process.env['PATH'], PS1: '\u001b[1m$\u0007\n' } }, { via: 'socket' })
    const { id } = (await put.json()) as { id: string }
    const listed = await ask('GET /api/v1/runs', undefined, { via: 'socket', headers: { 'reeve-caller': id } })
    expect(await listed.json()).toEqual({ runs: [], next: null })
    expect(await detail(await ask('GET /api/v1/runs', undefined, { headers: { 'reeve-caller': id } }))).toBe(
      `409 The daemon does not know the caller "${id}".`,
    )
  })

  it.each([
    ['tcp', 'own', '403 tester is admin and may not say where it is'],
    ['socket', 'admin', '403 key:admin is admin and may not say where it is'],
    ['socket', null, '401 The caller is not known'],
  ] as const)('is nobody over %s as %s', async (via, token, expected) => {
    const { ask } = testHttp()
    expect(await detail(await ask('PUT /caller', { cwd: '/', env: {} }, { via, token }))).toContain(expected)
  })
})

it('counts what the MCP server leaves open among the streams of a caller', async () => {
  const { ask } = testHttp({ streamsPerCaller: 1, mcp: async () => new Response(new ReadableStream()) })
  const open = () => ask('POST /mcp', {}, { token: 'viewer' })
  const first = await open()
  expect((await open()).status).toBe(429)
  expect((await ask('POST /mcp', {}, { token: 'admin' })).status, 'another caller').toBe(200)
  await first.body?.cancel()
  expect((await open()).status, 'after it was left').toBe(200)
})

it('tells other rooms who calls, and from where', async () => {
  const seen: unknown[] = []
  const { http, ask } = testHttp({
    mcp: async (_, caller) => {
      seen.push([caller.actor.name, caller.via, caller.cwd])
      return new Response()
    },
  })
  await ask('POST /mcp', {}, { token: 'viewer' })
  await ask('POST /mcp', {}, { via: 'socket' })
  const headers = { host: '127.0.0.1:7433', authorization: 'Bearer admin' }
  await http.fetch(new Request('http://127.0.0.1:7433/mcp', { headers }), 'tcp', '10.0.0.7')
  expect(seen).toEqual([
    ['key:viewer', 'tcp', null],
    ['tester', 'socket', null],
    ['key:admin', '10.0.0.7', null],
  ])
})
