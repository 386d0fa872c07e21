import { expect, it } from 'vitest'
import { fillStore } from '../../test/support/fill-store.ts'
import { temporaryFolder } from '../../test/support/folder.ts'
import { toyStore, toySubmit } from '../../test/support/toy-runs.ts'
import { toyTask } from '../../test/support/toy-task.ts'
import type { EventType, RunEvent } from '../core/event.ts'
import { addUsage, NO_USAGE } from '../core/run.ts'
import { COST_KEYS, type CostKey, type CostRow } from './costs.ts'
import type { Store } from './open.ts'

const usage = (inputTokens: number, outputTokens = 0, requests = 1) => ({
  inputTokens,
  outputTokens,
  cachedInputTokens: Math.floor(inputTokens / 2),
  requests,
})

type Told = readonly [EventType, RunEvent['data']?]

async function tell(store: Store, run: string, step: string, ...events: Told[]): Promise<void> {
  for (const [type, data = {}] of events) await store.append(run, null, type, { step, ...data })
}

const started: Told = ['step.started', { kind: 'agent', role: 'implementer', attempt: 1 }]
const chosen = (provider: string, model: string): Told => ['provider.chosen', { provider, model, reason: 'first' }]
const call = (provider: string, model: string, cost: number | null, input = 100): Told => [
  'usage.reported',
  { provider, model, role: 'implementer', usage: usage(input, 10), cost, source: 'reported' },
]

const short = (rows: CostRow[]) => rows.map((it) => [it.key, it.usage.inputTokens, Number(it.known.toFixed(6)), it.unknown])
const by = async (store: Store, key: CostKey, run?: string) => short(await store.costs({ by: key, ...(run === undefined ? {} : { run }) }))

it('adds up calls by what made them, and what the end of a step says beyond them by its provider', async () => {
  const store = await toyStore()
  const run = await toySubmit(store, 'one')
  await tell(store, run.id, 'a', started, chosen('cli', 'large'), call('cli', 'large', 0.1), call('cli', 'small', 0.01), [
    'step.finished',
    { usage: usage(250, 20, 3), cost: 0.15 },
  ])
  await tell(store, run.id, 'b', started, chosen('other', 'm'), ['step.finished', { usage: usage(40), cost: null }])
  expect(await by(store, 'model')).toEqual([
    ['large', 150, 0.14, 0],
    ['small', 100, 0.01, 0],
    ['m', 40, 0, 1],
  ])
  expect(await by(store, 'provider')).toEqual([
    ['cli', 250, 0.15, 0],
    ['other', 40, 0, 1],
  ])
  expect(await by(store, 'role')).toEqual([['implementer', 290, 0.15, 1]])
  expect(await by(store, 'step')).toEqual([
    ['a', 250, 0.15, 0],
    ['b', 40, 0, 1],
  ])
})

it('counts a step that died by its calls, and as unknown where its program said nothing', async () => {
  const store = await toyStore()
  const run = await toySubmit(store)
  await tell(store, run.id, 'a', started, chosen('api', 'm'), call('api', 'm', 0.2), started, call('api', 'm', 0.3), [
    'step.finished',
    { usage: usage(100, 10), cost: 0.3 },
  ])
  await tell(store, run.id, 'b', started, chosen('cli', 'x'), ['agent.started', { provider: 'cli' }])
  expect(await by(store, 'provider')).toEqual([
    ['api', 200, 0.5, 0],
    ['cli', 0, 0, 1],
  ])
})

it('knows runs, tasks, days, projects and times', async () => {
  const store = await toyStore()
  const [one, two] = [
    await toySubmit(store, 'one', { task: toyTask('one', { title: 'Do one' }), project: '/here' }),
    await toySubmit(store, 'two', { task: toyTask('two', { title: 'Do two' }), project: '/there' }),
  ]
  await tell(store, one.id, 'a', started, call('p', 'm', 0.1))
  await tell(store, two.id, 'a', started, call('p', 'm', 0.4))
  const tasks = await store.costs({ by: 'task' })
  expect(tasks.map((it) => [it.key, it.title, it.known])).toEqual([
    ['two', 'Do two', 0.4],
    ['one', 'Do one', 0.1],
  ])
  expect((await store.costs({ by: 'run', projects: ['/here', '/other'] })).map((it) => [it.key, it.title])).toEqual([[one.id, 'Do one']])
  const days = await store.costs({ by: 'day' })
  expect(days.map((it) => [/^\d{4}-\d\d-\d\d$/.test(it.key), Number(it.known.toFixed(6))])).toEqual([[true, 0.5]])
  expect(await store.costs({ by: 'run', since: Date.now() + 60_000 })).toEqual([])
  expect(await store.costs({ by: 'run', since: Date.now() - 60_000 })).toHaveLength(2)
  expect(await store.costs({ by: 'run', projects: ['/nowhere'] })).toEqual([])
})

it('adds up more runs than it reads at once', async () => {
  const folder = temporaryFolder()
  await fillStore(folder, { runs: 45, eventsEach: 50, project: '/here' })
  const store = await toyStore(folder)
  // Five calls of each run, and the end of its step, which holds the sums.
  const total = { cachedInputTokens: 22_500, inputTokens: 270_000, outputTokens: 67_500, requests: 225 }
  expect(await store.costs({ by: 'model' })).toMatchObject([{ key: 'm1', unknown: 0, reserved: 0, usage: total }])
  expect(await store.costs({ by: 'run', projects: ['/here'] })).toHaveLength(45)
})

it('shows what is reserved by steps at work, and by no other', async () => {
  const store = await toyStore()
  const run = await toySubmit(store)
  const claim = await store.claim(run.id, 'node-1')
  if (!claim) throw new Error('not claimed')
  await tell(store, run.id, 'a', started, chosen('p', 'm'), ['budget.reserved', { usd: 0.5, tokens: null }], call('p', 'm', 0.1))
  const [row] = await store.costs({ by: 'provider' })
  expect(row).toMatchObject({ key: 'p', known: 0.1, unknown: 0 })
  const [reserved] = (await store.costs({ by: 'provider' })).map((it) => it.reserved)
  expect(reserved).toBeCloseTo(0.4, 9)
  await store.handBack(claim, 'Detached.')
  expect((await store.costs({ by: 'provider' })).map((it) => it.reserved)).toEqual([0])
})

it('says the same as the tally of each run, whatever the events', async () => {
  const store = await toyStore()
  let seed = 7
  const any = (n: number) => (seed = (seed * 16_807) % 2_147_483_647) % n
  const cost = () => (any(4) === 0 ? null : any(100) / 100)
  const make: (() => Told)[] = [
    () => started,
    () => chosen(`p${any(2)}`, `m${any(2)}`),
    () => call(`p${any(2)}`, `m${any(3)}`, cost(), any(500)),
    () => call(`p${any(2)}`, `m${any(3)}`, cost(), any(500)),
    () => ['agent.started', { provider: 'p0' }],
    () => ['budget.reserved', { usd: any(100) / 100, tokens: null, ...(any(2) ? { late: true } : {}) }],
    () => ['step.finished', any(3) ? { usage: usage(any(900), any(9), any(5)), cost: cost() } : {}],
    () => ['step.failed', any(3) ? { usage: usage(any(900), any(9), any(5)), cost: cost() } : { problem: 'x' }],
  ]
  for (let n = 0; n < 12; n++) {
    const run = await toySubmit(store, `t${n}`)
    for (const step of ['a', 'b']) {
      await tell(store, run.id, step, started)
      for (let at = 0, over = false; at < 9; at++) {
        const event: Told = over ? started : (make[any(make.length)]?.() ?? started)
        over = event[0] === 'step.finished' || event[0] === 'step.failed'
        await tell(store, run.id, step, event)
      }
    }
    await store.cancel(run.id, 'ada')
    const spent = await store.spend(run.id)
    for (const key of COST_KEYS) {
      const rows = await store.costs({ by: key, run: run.id })
      const known = rows.reduce((sum, it) => sum + it.known, 0)
      const unknown = rows.reduce((sum, it) => sum + it.unknown, 0)
      expect(rows.map((it) => it.usage).reduce(addUsage, NO_USAGE), `${run.id} by ${key}`).toEqual(spent.usage)
      if (spent.cost === null) expect(unknown, `${n} by ${key}`).toBeGreaterThan(0)
      else expect([unknown, known], `${n} by ${key}`).toEqual([0, expect.closeTo(spent.cost, 9)])
    }
  }
})
