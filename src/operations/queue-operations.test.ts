import { describe, expect, it } from 'vitest'
import { TOY_FILES, testApp } from '../../test/support/app.ts'
import { makeRepository } from '../../test/support/repository.ts'
import type { App } from '../app.ts'
import type { Client, InputOf } from '../client/client.ts'
import { localUser } from '../core/actor.ts'

const LIMITS = { max: 8, roles: {}, providers: {} }

function setUp(files: Record<string, string> = {}, env: Record<string, string> = {}) {
  const project = makeRepository({ ...TOY_FILES, ...files })
  const app = testApp(project, env)
  return { project, app, client: app.open() }
}

const tasks = (ids: readonly string[], more = '') =>
  ids.map((id) => `id: ${id}\ntitle: Task ${id}\ndescription: ${id}\nworkflow: fine\n${more}`).join('---\n')

async function submit(client: Client, text: string, more: Partial<InputOf<'runs.submit'>> = {}): Promise<string[]> {
  const { runs } = await client.call('runs.submit', { documents: [{ name: 't.yaml', text }], ...more })
  return runs.map((it) => it.id)
}

async function work(client: Client, runs: string[]): Promise<void> {
  for await (const _ of client.stream('runs.work', { runs })) continue
}

async function refusal(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'nothing was refused',
    (error: Error) => error.message,
  )
}

describe('the queue', () => {
  it('shows the order, why each run waits, and when it begins by what past runs took', async () => {
    const { app, client, project } = setUp({ 'reeve.toml': `${TOY_FILES['reeve.toml']}\n[runs]\nmax_concurrent = 2\n` })
    const ids = await submit(client, tasks(['a', 'b', 'c', 'd']))
    await client.call('runs.prioritize', { run: ids[3] ?? '', priority: 5 })
    const list = await client.call('queue.list', {})
    expect(list).toMatchObject({ queued: 4, atWork: 0, maxConcurrent: 8, pauses: [] })
    expect(list.runs.map((it) => [it.task.id, it.position, it.reason])).toEqual([
      ['d', 1, null],
      ['a', 2, null],
      ['b', 3, 'project limit 2 of 2'],
      ['c', 4, 'project limit 2 of 2'],
    ])
    expect(list.runs[3]).toMatchObject({ startsAt: null, basis: 'no run like one of those before it has ended yet', project })

    await work(client, [ids[0] ?? ''])
    const known = await app.open().call('queue.list', { limit: 2 })
    expect(known.runs.map((it) => it.basis)).toEqual(
      Array(2).fill('what past runs of the same project and workflow took, and the limits of now'),
    )
    expect(known.runs[1]?.startsAt).toBeGreaterThan(Date.now() - 60_000)
    expect(known.queued).toBe(3)
    expect(known.runs.map((it) => it.task.id)).toEqual(['d', 'b'])
  })

  it('begins nothing while it is paused, says by whom, and goes on', async () => {
    const { client } = setUp()
    const [id = ''] = await submit(client, tasks(['a']))
    const paused = await client.call('queue.pause', { all: true })
    expect(paused.pauses).toMatchObject([{ scope: '*', mode: 'paused' }])
    const { runs } = await client.call('queue.list', { all: true })
    expect(runs[0]).toMatchObject({ run: id, position: null, startsAt: null, basis: 'it does not begin by itself' })
    expect(runs[0]?.reason).toMatch(/^queue paused by .+ since \d{4}-/)
    expect((await client.call('queue.resume', {})).pauses, 'the pause of all is another one').toHaveLength(1)
    expect((await client.call('queue.resume', { all: true })).pauses).toEqual([])
    await work(client, [id])
    expect((await client.call('runs.get', { run: id })).status).toBe('succeeded')
  })

  it('drains: tells what is still at work, and when nothing is', async () => {
    const { app, client } = setUp()
    const [id = ''] = await submit(client, tasks(['a'], '').replace('fine', 'hangs'))
    const { engine, daemon } = await resident(app.serve())
    await seen(daemon, id, 'running')
    expect(await client.call('queue.drain', { wait_seconds: 0 })).toMatchObject({ drained: false, atWork: [id] })
    const drained = client.call('queue.drain', { wait_seconds: 30 })
    await client.call('runs.cancel', { run: id })
    expect(await drained).toMatchObject({ drained: true, atWork: [], pauses: [{ mode: 'draining' }] })
    await engine.stop()
  })

  it('is paused for all by nobody who may only see some projects', async () => {
    const { app, project } = setUp()
    const some = { ...localUser('key:ci'), role: 'operator' as const, projects: [project] }
    const client = app.serve().as({ actor: some, cwd: project, env: null })
    expect(await refusal(client.call('queue.pause', { all: true }))).toContain('pause or resume all projects')
    expect((await client.call('queue.pause', {})).pauses).toMatchObject([{ scope: project, actor: 'key:ci' }])
    expect(await refusal(client.call('queue.pause', { all: true, project }))).toContain('give one of them')
  })
})

describe('a scheduled start', () => {
  it('comes from the file, from "at" or from "in", and is shown', async () => {
    const { client } = setUp()
    const [a = ''] = await submit(client, tasks(['a'], 'at: 2099-01-02T03:00Z\n'))
    const [b = ''] = await submit(client, tasks(['b'], 'at: 2099-01-02T03:00Z\n'), { at: '2098-01-01' })
    const [c = ''] = await submit(client, tasks(['c']), { in: '2h' })
    const at = Date.UTC(2099, 0, 2, 3)
    expect((await client.call('runs.get', { run: a })).notBefore).toBe(at)
    expect((await client.call('runs.get', { run: b })).notBefore).toBe(new Date('2098-01-01T00:00:00').getTime())
    const soon = (await client.call('runs.get', { run: c })).notBefore ?? 0
    expect(Math.abs(soon - Date.now() - 7_200_000)).toBeLessThan(60_000)
    const { runs } = await client.call('queue.list', {})
    expect(runs.find((it) => it.run === a)).toMatchObject({ position: null, reason: 'starts at 2099-01-02T03:00:00Z', startsAt: at })
    expect((await client.call('runs.cancel', { run: a })).run.status).toBe('cancelled')
  })

  it.each([
    [{ at: 'tomorrow' }, 'at is "tomorrow"; allowed: a time such as 2026-11-21T02:00'],
    [{ at: '2026-02-30' }, 'at is "2026-02-30"'],
    [{ at: '2026-13-01' }, 'at is "2026-13-01"'],
    [{ in: '2x' }, 'in is "2x"; allowed: minutes, hours, days or weeks'],
    [{ in: '999999w' }, 'in is "999999w"; allowed: minutes, hours, days or weeks such as 30m, 2h, 1d and 1w, ten years at most'],
    [{ in: '2h', at: '2026-11-21' }, 'There is "at" and "in"; give one of them.'],
  ])('is refused where %j is none', async (input, sentence) => {
    const { client } = setUp()
    expect(await refusal(client.call('runs.submit', { sentence: 'x', ...input }))).toContain(sentence)
  })

  it('is refused in a file with its line', async () => {
    const { client } = setUp()
    expect(await refusal(submit(client, tasks(['a'], 'at: soon\n')))).toContain('t.yaml:5: at is not allowed; a time such as')
  })
})

describe('what failed', () => {
  it('is retried once, each after what it depends on, and again when it fails again', async () => {
    const { client } = setUp()
    const text = tasks(['a', 'b', 'c']).replace('workflow: fine', 'workflow: red').replace('workflow: fine', 'depends_on: [a]')
    await work(client, await submit(client, text))
    const failed = (await client.call('runs.list', { status: ['failed'] })).runs.map((it) => it.task.id)
    expect(failed.toSorted((a, b) => a.localeCompare(b))).toEqual(['a', 'b'])
    const again = await client.call('queue.retry', { workflow: 'fine' })
    expect(again.runs.map((it) => [it.task.id, it.status])).toEqual([
      ['a', 'queued'],
      ['b', 'waiting'],
    ])
    expect((await client.call('queue.retry', { workflow: 'fine' })).runs, 'again').toEqual([])
    await client.call('runs.cancel', { run: again.runs[0]?.id ?? '' })
    expect((await client.call('queue.retry', { since: '1m', workflow: 'fine' })).runs.map((it) => it.task.id)).toEqual(['b'])
  })

  it('is the same for two who ask at the same time', async () => {
    const { client, app } = setUp()
    await work(client, await submit(client, tasks(['a']).replace('fine', 'red')))
    const [one, two] = await Promise.all([client.call('queue.retry', {}), app.open().call('queue.retry', {})])
    const ids = [...one.runs, ...two.runs].map((it) => it.id)
    expect(new Set(ids).size).toBe(1)
  })
})

describe('many tasks', () => {
  it('of several files depend on each other, and are refused by the names of their circle', async () => {
    const { client } = setUp()
    const one = { name: 'one.yaml', text: tasks(['a', 'b'], 'depends_on: [c]\n') }
    const two = { name: 'two.yaml', text: tasks(['c']) }
    const { runs } = await client.call('runs.submit', { documents: [one, two] })
    expect(runs.map((it) => [it.task.id, it.status])).toEqual([
      ['c', 'queued'],
      ['a', 'waiting'],
      ['b', 'waiting'],
    ])
    const circle = { name: 'three.yaml', text: tasks(['c'], 'depends_on: [b]\n') }
    expect(await refusal(client.call('runs.submit', { documents: [one, circle] }))).toBe(
      'These tasks depend on each other in a circle: c -> b -> c.',
    )
  })

  it('are queued in their order, a thousand in one go', async () => {
    const { client } = setUp()
    const ids = Array.from({ length: 1000 }, (_, at) => `t${at}`)
    const runs = await submit(client, tasks(ids))
    expect(new Set(runs).size).toBe(1000)
    const list = await client.call('queue.list', { limit: 1000 })
    expect(list.runs.map((it) => it.task.id)).toEqual(ids)
  })

  it('may wait for each other in a chain as long as the file', async () => {
    const { client } = setUp()
    const text = Array.from({ length: 500 }, (_, at) => tasks([`t${at}`], at === 499 ? '' : `depends_on: [t${at + 1}]\n`)).join('---\n')
    const { runs } = await client.call('runs.submit', { documents: [{ name: 't.yaml', text }] })
    expect(runs.map((it) => it.status)).toEqual(['queued', ...Array(499).fill('waiting')])
  })
})

describe('the daemon', () => {
  it('keeps a run queued whose keys it does not have, says which, and begins it when somebody brings them', async () => {
    const files = { 'reeve.toml': '[providers.c]\nkind = "openai"\nmodel = "m"\napi_key_env = "SOME_KEY"\n' }
    const { app, project } = setUp(files)
    const env = (more: object) => ({ PATH: process.env['PATH'], HOME: app.home, REEVE_SANDBOX__MINIMUM: 'guarded', ...more })
    const served = app.serve()
    const withKey = () => served.as({ actor: localUser('ada'), cwd: project, env: env({ SOME_KEY: 'k-123456789' }) })
    const [id = ''] = await submit(withKey(), tasks(['a']), { trust: true })
    // The one that took it is gone; the next one has nobody's keys.
    const { engine, daemon } = await resident(served)
    await seen(daemon, id, 'queued', /it needs SOME_KEY/)
    const { runs } = await daemon.call('queue.list', { all: true })
    expect(runs[0]).toMatchObject({ position: null, reason: expect.stringMatching(/it needs SOME_KEY, which the daemon does not have/) })
    await withKey().call('runs.resume', { run: id })
    await seen(daemon, id, 'succeeded')
    await engine.stop()
  })
})

async function resident(app: App) {
  const { engine } = await app.reside({ limits: LIMITS, env: { PATH: process.env['PATH'], REEVE_SANDBOX__MINIMUM: 'guarded' } })
  await engine.start()
  return { engine, daemon: app.as({ actor: localUser('ada'), cwd: null, env: null }) }
}

async function seen(client: Client, run: string, status: string, message = /(?:)/): Promise<void> {
  await expect
    .poll(
      async () => {
        const it = await client.call('runs.get', { run })
        return it.status === status && message.test(it.message ?? '')
      },
      { timeout: 20_000, interval: 20 },
    )
    .toBe(true)
}
