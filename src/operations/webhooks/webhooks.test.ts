import { createHmac } from 'node:crypto'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { temporaryFolder } from '../../../test/support/folder.ts'
import { toyStore, toySubmit } from '../../../test/support/toy-runs.ts'
import { type Clock, systemClock } from '../../core/clock.ts'
import { settingsSchema } from '../../core/settings.ts'
import type { Store } from '../../store/open.ts'
import { createWebhooks, type Webhooks, type WebhooksOptions } from './create.ts'
import { sign } from './sign.ts'

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

/** Pauses take a thousandth of their time; what was asked for is kept. */
function quickClock(pauses: number[] = []): Clock {
  return {
    now: () => systemClock.now(),
    sleep: (ms, signal) => {
      pauses.push(ms)
      return systemClock.sleep(ms / 1000, signal)
    },
  }
}

interface Got {
  body: string
  headers: IncomingHttpHeaders
}

type Answer = { status: number; headers?: Record<string, string> } | 'silence'

/** A receiver that answers as the test says, the n-th message by the n-th answer, and takes all after those. */
async function receiver(answers: readonly Answer[] = []): Promise<{ url: string; got: Got[] }> {
  const got: Got[] = []
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const answer = answers[got.length] ?? { status: 204 }
      got.push({ body: Buffer.concat(parts).toString(), headers: request.headers })
      if (answer !== 'silence') response.writeHead(answer.status, answer.headers).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/in`, got }
}

async function start(store: Store, hook: object, more: Partial<WebhooksOptions> = {}): Promise<Webhooks> {
  const settings = settingsSchema.parse({ webhooks: { ci: { events: ['run.*'], secret_env: 'CI_SECRET', ...hook } } }).webhooks
  const log = { info: () => undefined, warn: () => undefined }
  const env = { CI_SECRET: SECRET }
  const webhooks = createWebhooks({
    store,
    settings,
    env,
    clock: quickClock(),
    fetch,
    version: '1.2.3',
    redact: (text) => text,
    log,
    ...more,
  })
  onTestFinished(() => webhooks.stop())
  await webhooks.start()
  return webhooks
}

const bodies = (got: readonly Got[]) => got.map((it) => JSON.parse(it.body) as { id: string; type: string; seq: number })
const last = async (store: Store) => (await store.webhooks.list({ limit: 1 }))[0]

it('signs as Standard Webhooks say', () => {
  // The example of the specification's own libraries.
  const signed = sign('msg_p5jXN8AQM9LWM0D4loKWxJek', '{"test": 2432232314}', { secret: SECRET, now: 1_614_265_330_000 })
  expect(signed).toEqual({
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  })
})

it('posts the events that are wanted, in order, signed, from when it was configured', async () => {
  const store = await toyStore()
  const early = await toySubmit(store, 'early')
  const { url, got } = await receiver()
  await start(store, { url, projects: ['/project'] })
  const run = await toySubmit(store, 'a')
  await toySubmit(store, 'b', { project: '/other' })
  await store.append(run.id, null, 'agent.said', { text: 'not wanted' })
  await store.pause(run.id, 'ada')
  await store.cancel(run.id, 'ada')
  await store.cancel(early.id, 'ada')
  await expect.poll(() => got.length, { timeout: 5000 }).toBe(4)

  expect(bodies(got).map((it) => [it.id, it.type])).toEqual([
    [`evt_${run.id}_1`, 'run.queued'],
    [`evt_${run.id}_3`, 'run.paused'],
    [`evt_${run.id}_4`, 'run.finished'],
    [`evt_${early.id}_2`, 'run.finished'],
  ])
  const [{ headers, body } = { headers: {}, body: '' }] = got
  const key = Buffer.from(SECRET.slice(6), 'base64')
  const content = [headers['webhook-id'], headers['webhook-timestamp'], body].join('.')
  const signed = createHmac('sha256', key).update(content).digest('base64')
  expect(headers['webhook-signature']).toBe(`v1,${signed}`)
  expect(headers).toMatchObject({ 'webhook-id': `evt_${run.id}_1`, 'content-type': 'application/json', 'user-agent': 'reeve/1.2.3' })
  expect(JSON.parse(body)).toEqual({
    id: `evt_${run.id}_1`,
    type: 'run.queued',
    run: run.id,
    project: '/project',
    position: expect.any(Number) as number,
    seq: 1,
    ts: expect.any(Number) as number,
    data: { task: 'a', workflow: 'toy' },
  })
})

it('tries again with growing pauses under the same id, and holds the next event back until then', async () => {
  const store = await toyStore()
  const { url, got } = await receiver([
    { status: 500 },
    { status: 503, headers: { 'retry-after': '60' } },
    { status: 302, headers: { location: '/' } },
  ])
  const pauses: number[] = []
  await start(store, { url }, { clock: quickClock(pauses) })
  const run = await toySubmit(store)
  await store.cancel(run.id, 'ada')
  await expect.poll(() => got.length, { timeout: 5000 }).toBe(5)
  expect(bodies(got).map((it) => it.seq)).toEqual([1, 1, 1, 1, 2])
  const [first = 0, asked = 0, third = 0] = pauses.filter((it) => it > 1000)
  expect(first).toBeGreaterThan(3900)
  expect(asked, 'what the receiver asked for').toBeGreaterThan(59_000)
  expect(third).toBeGreaterThan(first * 4)
  await expect
    .poll(async () => (await store.webhooks.list({ limit: 5 })).map((it) => [it.status, it.tries, it.answer, it.problem]))
    .toEqual([
      ['delivered', 1, 204, null],
      ['delivered', 4, 204, null],
    ])
})

it('gives up after its tries, says why, and goes on with the next event', async () => {
  const store = await toyStore()
  const { url, got } = await receiver([{ status: 302, headers: { location: 'http://127.0.0.1:1/' } }, 'silence'])
  const warned: string[] = []
  await start(store, { url, max_tries: 2, timeout_seconds: 0.1 }, { log: { info: () => undefined, warn: (it) => void warned.push(it) } })
  const run = await toySubmit(store)
  await store.cancel(run.id, 'ada')
  await expect.poll(() => got.length, { timeout: 5000 }).toBe(3)
  await expect.poll(async () => (await last(store))?.status).toBe('delivered')
  expect((await store.webhooks.list({ limit: 5 })).map((it) => [it.status, it.problem])).toEqual([
    ['delivered', null],
    ['failed', 'no answer within 0.1 s'],
  ])
  expect(warned).toEqual(['an event could not be delivered; the webhook goes on with the next one'])
})

it('goes on where the last process stopped, with the tries that it made', async () => {
  const folder = temporaryFolder()
  const [store, next] = [await toyStore(folder), await toyStore(folder)]
  const { url, got } = await receiver([{ status: 204 }, { status: 500 }, 'silence'])
  // Its pauses never end: it is stopped in the second one.
  const slow: Clock = { ...quickClock(), sleep: (ms, signal) => systemClock.sleep(ms < 1000 ? ms : 1e6, signal) }
  const first = await start(store, { url }, { clock: slow })
  const run = await toySubmit(store)
  await store.pause(run.id, 'ada')
  await expect.poll(async () => (await last(store))?.tries, { timeout: 5000 }).toBe(1)
  await expect.poll(() => got.length).toBe(2)
  await first.stop()
  await store.cancel(run.id, 'ada')

  const second = await start(next, { url })
  await expect.poll(() => got.length, { timeout: 5000 }).toBe(3)
  // In the middle of a try: it is not known whether it has arrived.
  await second.stop()
  const third = await start(next, { url })
  await expect.poll(() => got.length, { timeout: 5000 }).toBe(5)
  expect(bodies(got).map((it) => it.seq)).toEqual([1, 2, 2, 2, 3])
  await expect.poll(async () => (await last(next))?.status).toBe('delivered')
  expect((await next.webhooks.list({ limit: 5 })).map((it) => it.tries)).toEqual([1, 2, 1])
  await third.stop()
})

it('does not look again at events that were none of its own, when the next process goes on', async () => {
  const store = await toyStore()
  const { url, got } = await receiver()
  let looked = 0
  const counting = {
    webhooks: store.webhooks,
    async *feed(options: Parameters<Store['feed']>[0]) {
      for await (const event of store.feed(options)) {
        yield event
        looked = event.position
      }
    },
  } as unknown as Store
  const webhooks = await start(counting, { url, events: ['run.queued'] })
  const run = await toySubmit(store)
  for (let count = 0; count < 3; count++) await store.append(run.id, null, 'agent.said', { text: 'not wanted' })
  const end = await store.lastPosition()
  await expect.poll(() => looked, { timeout: 5000 }).toBe(end)
  await webhooks.stop()
  expect(await store.webhooks.position('ci')).toBe(end)
  await start(store, { url, events: ['run.*'] })
  await store.cancel(run.id, 'ada')
  await expect.poll(() => bodies(got).map((it) => it.type), { timeout: 5000 }).toEqual(['run.queued', 'run.finished'])
})

it('leaves a receiver alone that is gone, until the next start', async () => {
  const store = await toyStore()
  const { url, got } = await receiver([{ status: 410 }])
  const first = await start(store, { url })
  const run = await toySubmit(store)
  await expect.poll(async () => (await last(store))?.status, { timeout: 5000 }).toBe('disabled')
  await store.cancel(run.id, 'ada')
  await first.stop()
  expect(got).toHaveLength(1)
  await start(store, { url })
  await expect.poll(() => bodies(got).map((it) => it.seq), { timeout: 5000 }).toEqual([1, 1, 2])
})

it('sends nothing without the key that it should sign with, and all of it as soon as it has the key', async () => {
  const store = await toyStore()
  const { url, got } = await receiver()
  const warned: unknown[] = []
  const log = { info: () => undefined, warn: (message: string, fields?: object) => void warned.push([message, fields]) }
  await start(store, { url }, { env: {}, log })
  await toySubmit(store)
  expect(warned).toEqual([['a webhook sends nothing: its key is not set', { webhook: 'ci', variable: 'CI_SECRET' }]])
  expect(got).toEqual([])
  await start(store, { url })
  await expect.poll(() => got.length, { timeout: 5000 }).toBe(1)
})

it('keeps the last deliveries of each webhook, and forgets those that are not configured any more', async () => {
  const store = await toyStore()
  await store.webhooks.begin(['ci', 'chat'])
  const delivery = {
    webhook: 'ci',
    type: 'run.queued',
    run: 'r',
    status: 'delivered',
    tries: 1,
    answer: 200,
    problem: null,
    nextAt: null,
  } as const
  for (let at = 1; at <= 1005; at++)
    await store.webhooks.keep({ ...delivery, message: `m${at}`, position: at, createdAt: at, triedAt: at }, { done: true })
  const kept = await store.webhooks.list({ webhook: 'ci', limit: 2000 })
  expect([kept.length, kept[0]?.message, kept.at(-1)?.message]).toEqual([1000, 'm1005', 'm6'])
  expect(await store.webhooks.position('ci')).toBe(1005)
  await store.webhooks.begin(['chat'])
  expect([await store.webhooks.position('ci'), await store.webhooks.list({ limit: 5 })]).toEqual([null, []])
  expect(await store.webhooks.position('chat')).toBe(0)
})
