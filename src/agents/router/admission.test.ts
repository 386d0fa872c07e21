import { describe, expect, it, onTestFinished } from 'vitest'
import { temporaryFolder } from '../../../test/support/folder.ts'
import { providerSettings } from '../../../test/support/provider.ts'
import { openStore } from '../../store/open.ts'
import { createAdmission, rulesOf, type Watcher } from './admission.ts'
import { createLine } from './line.ts'

const origin = (run: string) => ({ run, task: 't', step: 'implement', role: 'implementer', attempt: 1, turn: 0 })
const never = new AbortController().signal

/** A clock that sleeps by moving on. Signs of life of requests at work come in between, and move nothing. */
function steppingClock() {
  const alive: { at: number; wake: () => void }[] = []
  const clock = {
    time: 1_000_000,
    now: () => clock.time,
    async sleep(ms: number, signal?: AbortSignal) {
      if (ms === 10_000) {
        return new Promise<void>((wake, reject) => {
          alive.push({ at: clock.time + ms, wake })
          signal?.addEventListener('abort', () => reject(new Error('over')))
        })
      }
      clock.time += ms
      const due = alive.filter((it) => it.at <= clock.time)
      for (const it of due) {
        alive.splice(alive.indexOf(it), 1)
        it.wake()
      }
      // Their transactions.
      if (due.length > 0) await new Promise((resolve) => setTimeout(resolve, 20))
    },
  }
  return clock
}

async function bench(over: Parameters<typeof providerSettings>[0] = {}) {
  const clock = steppingClock()
  const store = await openStore(temporaryFolder(), { clock })
  onTestFinished(() => store.close())
  const seen: unknown[] = []
  const watcher: Watcher = {
    entered: () => undefined,
    refused: (_, retryAt) => seen.push({ refused: retryAt - clock.time }),
    left: async (_, outcome) => void seen.push(outcome.class),
  }
  const settings = providerSettings({ kind: 'scripted', file: 'x', ...over })
  const account = { key: 'acme', name: 'acme' }
  const make = () =>
    createAdmission({ shared: async () => store.routing, account, settings, clock, line: createLine(), watcher, random: () => 0.5 })
  const enter = (run: string, tokens = 10, signal = never) => make().enter({ origin: origin(run), inputTokens: tokens }, signal)
  const pass = async (run: string, tokens = 10) => {
    const answer = await enter(run, tokens)
    if (!answer.admitted) throw new Error(answer.problem)
    return answer
  }
  return { clock, store, seen, enter, pass }
}

describe('admission', () => {
  it('holds nobody back where nothing is limited, and counts nothing', async () => {
    const { clock, pass, seen } = await bench()
    for (let at = 0; at < 50; at++) await pass(`r${at}`)
    expect(clock.time).toBe(1_000_000)
    await (await pass('r')).leave({ class: null, tokens: null })
    expect(seen).toEqual([null])
  })

  it('waits in place for a place, and gives up when that takes too long', async () => {
    const { clock, pass, enter, seen } = await bench({ max_concurrent: 1 })
    const first = await pass('r1')
    const refused = await enter('r2')
    expect(refused).toMatchObject({ admitted: false, problem: 'The account "acme" is at its limit of 1 requests at the same time.' })
    expect(clock.time - 1_000_000, 'half a minute').toBeGreaterThanOrEqual(30_000)
    expect(clock.time - 1_000_000).toBeLessThan(31_000)
    expect(seen).toEqual([{ refused: expect.any(Number) as number }])
    await first.leave({ class: null, tokens: null })
    await pass('r2')
  })

  it('sleeps until the minute has room, where that is soon; else says at once when to come back', async () => {
    const { clock, pass, enter } = await bench({ requests_per_minute: 2 })
    await (await pass('r1')).leave({ class: null, tokens: null })
    clock.time += 40_000
    await (await pass('r2')).leave({ class: null, tokens: null })
    await pass('r3')
    expect(clock.time, 'a little more than a minute after the first').toBeGreaterThanOrEqual(1_062_400)
    const before = clock.time
    expect(await enter('r4')).toEqual({
      admitted: false,
      retryAt: 1_040_000 + 62_400,
      problem: 'The account "acme" is at its limit of 2 requests a minute.',
    })
    expect(clock.time, 'nobody sleeps for that').toBe(before)
  })

  it('counts what an answer took instead of what was reserved for it', async () => {
    const { clock, pass } = await bench({ tokens_per_minute: 10_000, max_tokens: 4000 })
    const first = await pass('r1', 3000)
    await first.leave({ class: null, tokens: { input: 3000, output: 100, cached: 0 } })
    const second = await pass('r2', 2000)
    expect(clock.time, 'at once').toBe(1_000_000)
    await second.leave({ class: 'network', tokens: null })
    await pass('r3', 2000)
    expect(clock.time, 'what did not arrive used nothing').toBe(1_000_000)
  })

  it('lets go no more than a burst at once', async () => {
    const { clock, pass } = await bench({ requests_per_minute: 30, burst: 3 })
    const gone: number[] = []
    for (let at = 0; at < 9; at++) {
      await (await pass(`r${at}`)).leave({ class: null, tokens: null })
      gone.push(clock.time)
    }
    expect(gone[2]).toBe(1_000_000)
    expect((gone[3] ?? 0) - 1_000_000).toBeGreaterThanOrEqual(6000)
    expect((gone[8] ?? 0) - 1_000_000).toBeGreaterThanOrEqual(12_000)
    expect((gone[8] ?? 0) - 1_000_000).toBeLessThan(20_000)
  })

  it('closes the account for everybody at a 429, until it may be asked again', async () => {
    const { clock, pass, enter } = await bench()
    const first = await pass('r1')
    await first.leave({ class: 'rate_limited', tokens: null, retryAt: clock.time + 20_000 })
    await pass('r2')
    expect(clock.time, 'it waits for the end').toBe(1_020_000)
    const second = await pass('r3')
    await second.leave({ class: 'quota', tokens: null, retryAt: clock.time + 3_600_000 })
    expect(await enter('r4')).toEqual({
      admitted: false,
      retryAt: clock.time + 3_600_000,
      problem: 'The account "acme" has asked for a pause.',
    })
  })

  it('stops waiting when the run is stopped', async () => {
    const { pass, enter } = await bench({ max_concurrent: 1 })
    await pass('r1')
    await expect(enter('r2', 10, AbortSignal.abort(new Error('cancelled')))).rejects.toThrow('cancelled')
  })

  it('has a window a little longer than a minute, and one for the burst', () => {
    const settings = providerSettings({ kind: 'scripted', file: 'x', requests_per_minute: 30, burst: 5, max_concurrent: 4 })
    expect(rulesOf(settings, 60_000)).toEqual({
      concurrent: 4,
      windows: [
        { ms: 62_400, requests: 30, tokens: null },
        { ms: 10_400, requests: 5, tokens: null },
      ],
    })
  })
})

describe('the line', () => {
  it('lets one after the other, in the order in which they came, also when one leaves', async () => {
    const line = createLine()
    const order: string[] = []
    const stand = async (name: string, signal = never) => {
      const next = await line.stand(signal)
      order.push(name)
      return next
    }
    const a = await stand('a')
    const gone = new AbortController()
    const b = stand('b', gone.signal)
    const c = stand('c')
    gone.abort(new Error('left'))
    await expect(b).rejects.toThrow('left')
    expect(order).toEqual(['a'])
    a()
    const next = await c
    expect(order).toEqual(['a', 'c'])
    next()
    await stand('d')
  })
})
