import { describe, expect, it, onTestFinished } from 'vitest'
import { makeRole } from '../../../test/support/agent.ts'
import { temporaryFolder } from '../../../test/support/folder.ts'
import { type Settings, settingsSchema } from '../../core/settings.ts'
import type { ProviderErrorClass } from '../../models/port.ts'
import { openStore } from '../../store/open.ts'
import { createRouter, type Router } from './router.ts'

const breaker = { failures: 3, recovery_seconds: 60 }
const BOTH = settingsSchema.parse({
  providers: { order: ['a', 'b'], a: { kind: 'openai', model: 'm', breaker }, b: { kind: 'claude', model: 'n', breaker } },
})
const ALONE = settingsSchema.parse({ providers: { a: { kind: 'openai', model: 'm', breaker } } })
const never = new AbortController().signal

async function bench() {
  const clock = { time: 1_000_000, now: () => clock.time, sleep: (_: number, signal?: AbortSignal) => sleepless(signal) }
  const store = await openStore(temporaryFolder(), { clock })
  onTestFinished(() => store.close())
  const make = (env = {}) => createRouter({ shared: async () => store.routing, clock, env })
  return { clock, make, router: make() }
}

/** Only signs of life sleep here; they end with their request. */
function sleepless(signal?: AbortSignal): Promise<void> {
  return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('over'))))
}

const request = (settings: Settings, run = 'r1') => ({ role: makeRole(), task: {}, settings, asker: { run, step: 'implement' }, tried: [] })
const asker = (run = 'r1') => ({ run, step: 'implement' })

/** One request to `a`, and how it ended. */
async function ask(router: Router, kind: ProviderErrorClass | null, run = 'r1', retryAt?: number, settings = BOTH): Promise<void> {
  const origin = { ...asker(run), task: 't', role: 'implementer', attempt: 1, turn: 0 }
  const pass = await router.admission('a', settings).enter({ origin, inputTokens: 1 }, never)
  if (!pass.admitted) throw new Error(pass.problem)
  await pass.leave({ class: kind, tokens: null, problem: `it was ${kind}`, ...(retryAt === undefined ? {} : { retryAt }) })
}

const ended = (kind: ProviderErrorClass | null, retryAt: number | null = null) =>
  ({ status: kind === null ? 'completed' : 'failed', class: kind, problem: `it was ${kind}`, retryAt }) as const

describe('the health of a provider', () => {
  it('is made of its requests: after so many failures in a row it is left alone, and an answer makes good for all', async () => {
    const { router } = await bench()
    for (const kind of ['network', 'server', null, 'network', 'timeout'] as const) await ask(router, kind)
    expect(await router.choose(request(BOTH))).toMatchObject({ provider: 'a' })
    await ask(router, 'network')
    expect(await router.choose(request(BOTH))).toMatchObject({
      provider: 'b',
      passed: [{ provider: 'a', why: 'is left alone for 60 s (3 failures, network: it was network)' }],
    })
    await ask(router, 'refused')
    expect(await router.choose(request(BOTH)), 'who refuses is there').toMatchObject({ provider: 'a', passed: [] })
  })

  it('does not count a failure twice, with its request and with the result', async () => {
    const { router } = await bench()
    const attempt = router.begin('a', BOTH, asker())
    await ask(router, 'network')
    await ask(router, 'network')
    await attempt.ended(ended('network'))
    expect(await router.choose(request(BOTH))).toMatchObject({ provider: 'a' })
  })

  it('is made of results where nobody sees the requests', async () => {
    const { router } = await bench()
    for (let at = 0; at < 3; at++) await router.begin('b', BOTH, asker(`r${at}`)).ended(ended('crashed'))
    expect(await router.health(BOTH)).toMatchObject([
      { provider: 'a', health: { status: 'closed' } },
      { provider: 'b', health: { status: 'open', class: 'crashed', failures: 3 } },
    ])
    const attempt = router.begin('b', BOTH, asker())
    await attempt.ended(ended(null))
    expect(await router.health(BOTH)).toMatchObject([{}, { health: { status: 'closed' } }])
  })

  it('lets one run try when the time is over; the others go elsewhere until it has answered', async () => {
    const { clock, router, make } = await bench()
    for (let at = 0; at < 3; at++) await ask(router, 'network')
    clock.time += 60_000
    const other = make()
    expect(await router.choose(request(BOTH, 'r1'))).toMatchObject({
      provider: 'a',
      reason: 'first in the configured order; to see whether it works again',
    })
    expect(await other.choose(request(BOTH, 'r2'))).toMatchObject({
      provider: 'b',
      passed: [{ provider: 'a', why: 'is being tried by another run (network: it was network)' }],
    })
    expect(await other.choose(request(ALONE, 'r3')), 'who has nobody else looks again soon').toMatchObject({
      kind: 'wait',
      until: clock.time + 10_000,
    })
    await ask(router, null, 'r1')
    expect(await other.choose(request(BOTH, 'r2'))).toMatchObject({ provider: 'a', passed: [] })
  })

  it('lets the next one try when a try was stopped', async () => {
    const { clock, router } = await bench()
    for (let at = 0; at < 3; at++) await ask(router, 'network')
    clock.time += 60_000
    await router.choose(request(BOTH, 'r1'))
    await router.begin('a', BOTH, asker('r1')).ended({ status: 'aborted', class: 'aborted', problem: '', retryAt: null })
    expect(await router.choose(request(BOTH, 'r2'))).toMatchObject({ provider: 'a' })
  })

  it('lets the next one try when a limit of our own held the try back', async () => {
    const { clock, router } = await bench()
    const soon = { failures: 1, recovery_seconds: 10 }
    const tight = settingsSchema.parse({ providers: { a: { kind: 'openai', model: 'm', breaker: soon, requests_per_minute: 1 } } })
    await ask(router, 'network', 'r0', undefined, tight)
    clock.time += 10_000
    expect(await router.choose(request(tight, 'r1'))).toMatchObject({ reason: 'the only one configured; to see whether it works again' })
    const attempt = router.begin('a', tight, asker('r1'))
    const origin = { ...asker('r1'), task: 't', role: 'implementer', attempt: 1, turn: 0 }
    const refused = await router.admission('a', tight).enter({ origin, inputTokens: 1 }, never)
    if (refused.admitted) throw new Error('two in a minute')
    await attempt.ended(ended('rate_limited', refused.retryAt))
    expect(await router.choose(request(tight, 'r2'))).toMatchObject({ kind: 'chosen', provider: 'a' })
  })

  it('is another one with another configuration or another key', async () => {
    const { router, make } = await bench()
    await router.begin('a', ALONE, asker()).ended(ended('auth'))
    const changed = settingsSchema.parse({ providers: { a: { kind: 'openai', model: 'other', breaker } } })
    expect(await router.health(ALONE)).toMatchObject([{ health: { status: 'open' } }])
    expect(await router.health(changed)).toMatchObject([{ health: { status: 'closed' } }])
    expect(await make({ OPENAI_API_KEY: 'a new one' }).health(ALONE)).toMatchObject([{ health: { status: 'closed' } }])
    await router.reopen('a', ALONE)
    expect(await router.health(ALONE)).toMatchObject([{ health: { status: 'closed' } }])
  })
})

describe('a limit', () => {
  it('of the provider is waited for when nobody else is there, and passed over when somebody is', async () => {
    const { clock, router } = await bench()
    const at = clock.time
    expect(await router.begin('a', ALONE, asker()).ended(ended('rate_limited', at + 5000))).toBe(at + 5000)
    expect(await router.choose(request(ALONE))).toEqual({
      kind: 'wait',
      until: at + 5000,
      problem: 'a is left alone for 30 s (rate_limited: it was rate_limited)',
      passed: [{ provider: 'a', why: 'is left alone for 30 s (rate_limited: it was rate_limited)' }],
    })
    clock.time += 5000
    expect(await router.choose(request(ALONE))).toMatchObject({ provider: 'a', reason: 'nobody else is left, and its pause is over' })
    expect(await router.choose(request(BOTH))).toMatchObject({ provider: 'b' })
    clock.time += 25_000
    expect(await router.choose(request(BOTH)), 'a limit that is over needs no trying').toMatchObject({
      provider: 'a',
      reason: 'first in the configured order',
    })
  })

  it('of our own is nothing that the provider is known for', async () => {
    const { clock, router } = await bench()
    const limited = settingsSchema.parse({ providers: { a: { kind: 'openai', model: 'm', requests_per_minute: 1 } } })
    await ask(router, null, 'r0', undefined, limited)
    const attempt = router.begin('a', limited, asker())
    const origin = { ...asker(), task: 't', role: 'implementer', attempt: 1, turn: 0 }
    const refused = await router.admission('a', limited).enter({ origin, inputTokens: 1 }, never)
    if (refused.admitted) throw new Error('two in a minute')
    expect(refused.retryAt).toBe(clock.time + 62_400)
    expect(await attempt.ended(ended('rate_limited', refused.retryAt))).toBe(refused.retryAt)
    expect(await router.health(limited)).toMatchObject([{ health: { status: 'closed' } }])
    const tried = [{ provider: 'a', model: 'm', class: 'rate_limited' as const, problem: 'p', until: refused.retryAt }]
    expect(await router.next({ ...request(limited), tried })).toMatchObject({ kind: 'wait', until: refused.retryAt })
  })

  it('of an account holds for every provider of it, also for one that says nothing of limits', async () => {
    const { router } = await bench()
    const team = { kind: 'openai', model: 'm', account: 'team' }
    const both = settingsSchema.parse({
      providers: { a: { ...team, requests_per_minute: 2 }, b: { ...team, requests_per_minute: 1 }, c: team },
    })
    const origin = { ...asker(), task: 't', role: 'implementer', attempt: 1, turn: 0 }
    const enter = async (name: string) => (await router.admission(name, both).enter({ origin, inputTokens: 1 }, never)).admitted
    expect([await enter('c'), await enter('a'), await enter('b'), await enter('c')]).toEqual([true, false, false, false])
  })

  it('leaves others to take over only where they are free', async () => {
    const { router } = await bench()
    expect(await router.hasOther(request(BOTH), 'a')).toBe(true)
    expect(await router.hasOther(request(ALONE), 'a')).toBe(false)
    await router.begin('b', BOTH, asker()).ended(ended('quota'))
    expect(await router.hasOther(request(BOTH), 'a')).toBe(false)
  })
})
