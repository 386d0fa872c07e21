import { describe, expect, it } from 'vitest'
import { providerSettings, request } from '../../test/support/provider.ts'
import type { Clock } from '../core/clock.ts'
import type { Json } from '../core/json.ts'
import type { Admission } from './admission.ts'
import { type OpenRequest, ProviderFailure, type RawEvent } from './guard.ts'
import { limitsFrom } from './limits.ts'
import type { GenerateRequest, ModelEvent } from './port.ts'
import { retriesOf, withRetries } from './retry.ts'

const END: RawEvent = { type: 'end', tokens: { input: 7, output: 3, cached: 1 }, finish: 'stop' }

/** A clock that stands still but for sleeps; those of the guard, which have a signal that ends with the request, never come to their end. */
function stepClock(): Clock & { ahead(ms: number): void } {
  let now = 1_000_000
  return {
    now: () => now,
    ahead: (ms) => {
      now += ms
    },
    sleep: (ms, signal) => {
      if (signal === asked.signal) {
        now += ms
        return signal.aborted ? Promise.reject(signal.reason as Error) : Promise.resolve()
      }
      return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason as Error)))
    },
  }
}
const asked = new AbortController()

interface Bench {
  clock?: ReturnType<typeof stepClock>
  admission?: Admission
  over?: { [key: string]: Json }
  replaceable?: boolean
}

async function call(open: OpenRequest, { clock = stepClock(), admission, over = {}, replaceable = false }: Bench = {}) {
  const settings = providerSettings({ kind: 'openai', ...over })
  const wanted: GenerateRequest = request({ signal: asked.signal, replaceable })
  const events = await Array.fromAsync(
    withRetries(open, {
      ...retriesOf(settings, wanted, clock, admission),
      limits: limitsFrom(settings),
      price: () => 0,
      random: () => 1,
    }),
  )
  return { events, end: events.at(-1) as ModelEvent, waits: events.flatMap((it) => (it.type === 'retrying' ? [it.inMs] : [])) }
}

/** Fails with these, one after the other, then answers. */
function failing(...failures: ProviderFailure[]): OpenRequest & { tries: number } {
  const open = async function* () {
    open.tries += 1
    const failure = failures.shift()
    if (failure) throw failure
    yield { type: 'text' as const, text: 'Here.' }
    yield END
  }
  open.tries = 0
  return open
}

const busy = (retryAfterMs: number | null = null) => new ProviderFailure('rate_limited', 'Slow down.', { retryAfterMs })

describe('the time one call may take', () => {
  it('ends at once when the server asks for more than give_up_seconds, and says until when', async () => {
    const open = failing(busy(46_000))
    const { end } = await call(open)
    expect(end).toMatchObject({ type: 'error', class: 'rate_limited', retryAt: 1_046_000 })
    expect(open.tries).toBe(1)
  })

  it('adds up the pauses of one call', async () => {
    const open = failing(busy(20_000), busy(20_000), busy(20_000))
    const { end, waits } = await call(open)
    expect(waits).toEqual([20_000, 20_000])
    expect(end).toMatchObject({ type: 'error', class: 'rate_limited', usage: { requests: 3 } })
  })

  it('takes no time of what the limits of the account hold back', async () => {
    const clock = stepClock()
    const admission: Admission = {
      async enter() {
        clock.ahead(40_000)
        return { admitted: true, leave: async () => {} }
      },
    }
    const { end, waits } = await call(failing(busy(20_000), busy(20_000)), { clock, admission })
    expect(waits).toEqual([20_000, 20_000])
    expect(end).toMatchObject({ type: 'done' })
  })

  it('moves on after one short pause when another provider could take over', async () => {
    const twice = failing(busy(), busy())
    expect(await call(twice, { replaceable: true })).toMatchObject({ waits: [500], end: { type: 'error', class: 'rate_limited' } })
    expect(await call(failing(busy(2000)), { replaceable: true })).toMatchObject({ waits: [], end: { retryAt: 1_002_000 } })
    expect(
      await call(failing(new ProviderFailure('network', 'Gone.'), new ProviderFailure('network', 'Gone.')), { replaceable: true }),
    ).toMatchObject({ waits: [500, 1000], end: { type: 'done' } })
  })

  it('is below a minute by default, whatever goes wrong', () => {
    const settings = providerSettings({ kind: 'openai' })
    const { firstByteMs, idleMs } = limitsFrom(settings)
    // The last try begins before give_up_seconds and gets ten seconds at least.
    expect(Math.max(settings.give_up_seconds * 1000, firstByteMs) + 10_000).toBeLessThan(60_000)
    expect(idleMs).toBeLessThan(60_000)
  })

  it('gives engines on your own machine five minutes for the first byte', () => {
    expect(limitsFrom(providerSettings({ kind: 'ollama' }), true)).toMatchObject({ firstByteMs: 300_000, idleMs: 45_000 })
    const said = providerSettings({ kind: 'ollama', first_byte_timeout_seconds: 20, idle_timeout_seconds: 5 })
    expect(limitsFrom(said, true)).toMatchObject({ firstByteMs: 20_000, idleMs: 5000 })
  })

  it('does not wait for a quota to come back', async () => {
    const spent = new ProviderFailure('quota', 'Spent.', { retryAfterMs: 1000, final: true })
    expect(await call(failing(spent))).toMatchObject({ waits: [], end: { class: 'quota', retryAt: 1_001_000, cost: 0 } })
  })

  it('tries another way of saying it at once', async () => {
    const open = failing(new ProviderFailure('config', 'No schemas here.', { again: true }))
    expect(await call(open, { over: { max_retries: 0 } })).toMatchObject({ waits: [0], end: { type: 'done', usage: { requests: 2 } } })
  })
})

describe('admission', () => {
  function gate(refuse?: { retryAt: number }) {
    const log: unknown[] = []
    const admission: Admission = {
      async enter(it) {
        log.push(['enter', it.origin.run, it.inputTokens])
        if (refuse) return { admitted: false, retryAt: refuse.retryAt, problem: 'The limit of 3 requests per minute is reached.' }
        return { admitted: true, leave: async (outcome) => void log.push(outcome) }
      },
    }
    return { admission, log }
  }

  it('is asked for each try, and told how each ended', async () => {
    const { admission, log } = gate()
    const { end } = await call(failing(busy(3000)), { admission })
    expect(end).toMatchObject({ type: 'done' })
    expect(log).toEqual([
      ['enter', 'r1', 7],
      { class: 'rate_limited', tokens: null, problem: 'Slow down.', retryAt: 1_003_000 },
      ['enter', 'r1', 7],
      { class: null, tokens: { input: 7, output: 3, cached: 1 } },
    ])
  })

  it('refuses: nobody is asked, and the call says until when', async () => {
    const open = failing()
    const { end } = await call(open, { admission: gate({ retryAt: 1_030_000 }).admission })
    expect(end).toEqual({
      type: 'error',
      class: 'rate_limited',
      problem: 'The limit of 3 requests per minute is reached.',
      retryAt: 1_030_000,
      usage: { inputTokens: 0, outputTokens: 0, cachedInputTokens: 0, requests: 0 },
      cost: 0,
    })
    expect(open.tries).toBe(0)
  })

  it('is left once when the reader of an answer goes away in the middle', async () => {
    const { admission, log } = gate()
    const settings = providerSettings({ kind: 'openai' })
    const spec = { ...retriesOf(settings, request(), stepClock(), admission), limits: limitsFrom(settings), price: () => 0 }
    for await (const event of withRetries(failing(), spec)) {
      expect(event).toEqual({ type: 'text', text: 'Here.' })
      break
    }
    expect(log).toEqual([['enter', 'r1', 7], { class: null, tokens: null }])
  })

  it('that fails ends the call', async () => {
    const admission: Admission = { enter: () => Promise.reject(new Error('the store is gone')) }
    const problem = 'The limits of this provider could not be kept: the store is gone'
    expect((await call(failing(), { admission })).end).toMatchObject({ type: 'error', class: 'crashed', problem })
  })
})
