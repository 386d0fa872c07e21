import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { TOY_FILES } from '../../test/support/app.ts'
import { temporaryFolder } from '../../test/support/folder.ts'
import { streamingGateway, testHttp } from '../../test/support/http.ts'
import { makeRepository } from '../../test/support/repository.ts'
import { createCallers } from '../http/callers.ts'
import { hostNames, type Via } from '../http/guard.ts'
import { type Listening, listen } from '../http/listen.ts'
import { type Client, createClient } from './client.ts'
import type { Remote } from './line.ts'
import { remoteTransport } from './remote.ts'
import { requestFor } from './request.ts'
import { ROUTES } from './routes.ts'

function clientOf(find: () => Promise<Remote>, place?: { cwd: string; env: object }): Client {
  const client = createClient(
    remoteTransport({ find, ...(place === undefined ? {} : { place: place as { cwd: string; env: Record<string, string> } }) }),
  )
  onTestFinished(() => client.close())
  return client
}

const event = (run: string, seq: number) => ({ run, seq, ts: 0, type: 'run.queued', data: {} })

describe('the remote client', () => {
  it('calls and streams over the socket, from the place of the caller, also when the daemon has been started again', async () => {
    const project = makeRepository(TOY_FILES)
    const callers = [createCallers(), createCallers()]
    let now = callers[0]
    const { http } = testHttp({ callers: { put: (it) => now?.put(it) ?? '', get: (id) => now?.get(id) ?? null } })
    const socket = join(temporaryFolder('reeve-remote-'), 's')
    const server = await listen(http, { socket })
    onTestFinished(() => server.close())
    const client = clientOf(async () => ({ at: { socket }, token: 'own' }), { cwd: project, env: { PATH: process.env['PATH'] } })
    const { runs } = await client.call('runs.submit', { sentence: 'Do it', workflow: 'fine' })
    expect(runs).toMatchObject([{ status: 'queued', paths: { project } }])
    // The next daemon knows no caller of the one before.
    now = callers[1]
    expect((await client.call('runs.list', { status: ['queued'] })).runs).toHaveLength(1)
    const types: string[] = []
    for await (const { type } of client.stream('runs.events', { run: runs[0]?.id ?? '' })) types.push(type)
    expect(types).toContain('run.queued')
    const missing = { code: 'run_not_found', message: 'No run "nothing".', hint: 'List runs with: reeve ls', exit: 4, status: 404 }
    await expect(client.call('runs.get', { run: 'nothing' })).rejects.toMatchObject(missing)
    await expect(client.stream('runs.events', { run: 'nothing' })[Symbol.asyncIterator]().next()).rejects.toMatchObject(missing)
  })

  it('makes one run of a request that is sent twice, also for a program that says it has no key', async () => {
    const keys: unknown[] = []
    const call = async (_: string, input: { key?: unknown }) => (keys.push(input.key), { runs: [], warnings: [] })
    const { http } = testHttp({ gateway: { as: () => ({ call }) as unknown as Client } })
    const socket = join(temporaryFolder('reeve-remote-'), 's')
    const server = await listen(http, { socket })
    onTestFinished(() => server.close())
    const client = clientOf(async () => ({ at: { socket }, token: 'own' }))
    await client.call('runs.submit', { sentence: 'Do it', key: undefined })
    await client.call('runs.submit', { sentence: 'Do it', key: 'mine' })
    expect(keys).toEqual([expect.stringMatching(/./), 'mine'])
  })

  it('opens a stream that was cut behind the last event, at the next daemon, and misses and doubles nothing', async () => {
    let [server, at, tries] = [null as Listening | null, '', 0]
    const events = async function* ({ after = 0 }: { after?: unknown }) {
      tries++
      for (let seq = Number(after) + 1; seq <= 5; seq++) {
        // The first daemon dies after its third event.
        if (tries === 1 && seq === 4) {
          await server?.close()
          server = await start()
        }
        yield event('r', seq)
      }
    }
    const hosts = () => hostNames({ host: '127.0.0.1', port: server?.port ?? 0, hosts: [] })
    const { http } = testHttp({ gateway: streamingGateway(events), hosts })
    const start = async () => {
      const listening = await listen(http, { host: '127.0.0.1', port: 0 })
      at = `http://127.0.0.1:${listening.port}`
      return listening
    }
    server = await start()
    onTestFinished(() => server?.close())
    const client = clientOf(async () => ({ at: { url: at }, token: 'own' }))
    const seen: number[] = []
    for await (const { seq } of client.stream('runs.events', { run: 'r', follow: true })) seen.push(seq)
    expect({ seen, tries }).toEqual({ seen: [1, 2, 3, 4, 5], tries: 2 })
  })

  it('comes back to the work on several runs by the last number of each', async () => {
    const asked: unknown[] = []
    const { http } = testHttp({
      gateway: streamingGateway(async function* ({ after }) {
        asked.push(after)
        if (asked.length > 1) return
        yield event('a', 1)
        yield event('b', 7)
        await server.close()
        server = await listen(http, { socket })
      }),
    })
    const socket = join(temporaryFolder('reeve-remote-'), 's')
    let server = await listen(http, { socket })
    onTestFinished(() => server.close())
    const client = clientOf(async () => ({ at: { socket }, token: 'own' }))
    for await (const _ of client.stream('runs.work', { runs: ['a', 'b'], after: { c: 3 } }));
    expect(asked).toEqual([{ c: 3 }, { c: 3, a: 1, b: 7 }])
  })

  it('leaves a stream when its signal aborts, and the daemon ends the work behind it', async () => {
    const { promise: ended, resolve } = Promise.withResolvers<unknown>()
    const { http } = testHttp({
      gateway: streamingGateway(async function* (_, signal) {
        yield event('r', 1)
        signal.addEventListener('abort', resolve, { once: true })
        await ended
      }),
    })
    const socket = join(temporaryFolder('reeve-remote-'), 's')
    const server = await listen(http, { socket })
    onTestFinished(() => server.close())
    const leave = new AbortController()
    const client = clientOf(async () => ({ at: { socket }, token: 'own' }))
    for await (const _ of client.stream('runs.events', { run: 'r' }, leave.signal)) leave.abort()
    await expect(ended).resolves.toMatchObject({ type: 'abort' })
  })

  it('asks for the daemon again when it is not reached, and says what was wrong when it is not there then', async () => {
    const { http } = testHttp()
    const folder = temporaryFolder('reeve-remote-')
    const server = await listen(http, { socket: join(folder, 'new') })
    onTestFinished(() => server.close())
    const places = ['gone', 'new', 'gone', 'gone']
    const client = clientOf(async () => ({ at: { socket: join(folder, places.shift() ?? '') }, token: 'own' }))
    expect(await client.call('runs.list', { all: true })).toEqual({ runs: [], next: null })
    const lost = clientOf(async () => ({ at: { socket: join(folder, 'gone') }, token: 'own' }))
    await expect(lost.call('runs.list', {})).rejects.toMatchObject({ code: 'daemon_lost' })
    const wrong = clientOf(async () => ({ at: { socket: join(folder, 'new') }, token: 'wrong' }))
    await expect(wrong.call('runs.list', {})).rejects.toMatchObject({ code: 'unauthorized' })
  })
})

it('submits again what a daemon that died did not answer, and makes one run of it', async () => {
  const project = makeRepository(TOY_FILES)
  const { http, app } = testHttp()
  const socket = join(temporaryFolder('reeve-remote-'), 's')
  let died = false
  const dying = {
    fetch: async (request: Request, via: Via) => {
      const answer = await http.fetch(request, via)
      if (died) return answer
      died = true
      await server.close()
      server = await listen(http, { socket })
      return answer
    },
  }
  let server = await listen(dying, { socket })
  onTestFinished(() => server.close())
  const client = clientOf(async () => ({ at: { socket }, token: 'own' }))
  const { runs } = await client.call('runs.submit', { project, sentence: 'Do it', workflow: 'fine' })
  expect((await (await app.store()).listRuns({})).map((it) => it.id)).toEqual([runs[0]?.id])
})

it('puts fields where the route has them', () => {
  expect(requestFor(ROUTES['runs.get'], { run: 'a/b ?' })).toMatchObject({ method: 'GET', path: '/api/v1/runs/a%2Fb%20%3F', body: null })
  const list = requestFor(ROUTES['runs.list'], { all: true, status: ['queued', 'failed'], project: undefined })
  expect(list.path).toBe('/api/v1/runs?all=true&status=queued&status=failed')
  expect(requestFor(ROUTES['runs.pause'], { run: 'x' })).toMatchObject({ path: '/api/v1/runs/x/pause', body: '{}' })
  expect(() => requestFor(ROUTES['runs.get'], {})).toThrow('run: is missing')
})
