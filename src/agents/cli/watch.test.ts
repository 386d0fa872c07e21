import { describe, expect, it, onTestFinished } from 'vitest'
import type { Clock } from '../../core/clock.ts'
import { limited, type Quiet, type WatchLimits } from './dues.ts'
import type { CliEvent } from './port.ts'
import { startWatch, type Watch } from './watch.ts'

const LIMITS: WatchLimits = { firstMs: 30_000, idleMs: 45_000, toolMs: 900_000, giveUpMs: 45_000, totalMs: 3_600_000 }
const call = (id: string, phase: 'start' | 'end'): CliEvent => ({ t: 'tool', id, phase, kind: 'execute', name: 'shell' })
const WORDS: CliEvent = { t: 'text', text: 'Well.' }

/** A clock whose time passes when the test says so. */
function handClock(): Clock & { pass(ms: number): Promise<void> } {
  let now = 1_000_000
  const waiting = new Set<{ at: number; wake: () => void }>()
  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const one = { at: now + ms, wake: resolve }
        waiting.add(one)
        signal?.addEventListener('abort', () => (waiting.delete(one), reject(signal.reason as Error)), { once: true })
      }),
    async pass(ms) {
      for (const end = now + ms; now < end; ) {
        now = Math.min(end, now + 500)
        const due = [...waiting].filter((it) => it.at <= now)
        for (const it of due) it.wake()
        for (const it of due) waiting.delete(it)
        await new Promise<void>((resolve) => setImmediate(resolve))
      }
    },
  }
}

function watching(over: { limits?: Partial<WatchLimits>; quiet?: Quiet; replaceable?: boolean; metered?: boolean } = {}) {
  const clock = handClock()
  const stop = new AbortController()
  const { limits, quiet = 'nothing', replaceable = false, metered = false } = over
  const how = { quiet, replaceable, metered, signal: stop.signal }
  const watch: Watch = startWatch({ program: 'fake', clock, limits: { ...LIMITS, ...limits }, ...how })
  onTestFinished(() => watch.end())
  return { watch, clock, stop }
}

describe('a program that is silent', () => {
  it('from the start is ended after its first limit', async () => {
    const { watch, clock } = watching()
    await clock.pass(29_000)
    expect([watch.stopped, watch.signal.aborted]).toEqual([null, false])
    await clock.pass(2000)
    expect(watch.stopped).toEqual({
      status: 'failed',
      class: 'timeout',
      problem: 'fake said nothing at first for 30 s and was ended.',
      retryAt: null,
    })
    expect(watch.signal.aborted).toBe(true)
  })

  it('is ended later when it has said something, and each word counts', async () => {
    const { watch, clock } = watching()
    for (let at = 0; at < 5; at++) {
      watch.hear(WORDS)
      await clock.pass(44_000)
    }
    expect(watch.stopped).toBeNull()
    await clock.pass(2000)
    expect(watch.stopped?.problem).toBe('fake said nothing for 45 s and was ended.')
  })

  it('may be as long as its tool runs, up to the limit of a tool', async () => {
    const { watch, clock } = watching()
    watch.hear(call('1', 'start'))
    watch.hear(call('2', 'start'))
    await clock.pass(400_000)
    watch.hear(call('1', 'end'))
    await clock.pass(899_000)
    expect(watch.stopped).toBeNull()
    await clock.pass(2000)
    expect(watch.stopped).toMatchObject({ class: 'timeout', problem: 'fake ran its tool shell for 900 s.' })
  })

  it('is asked again for a word when its tool has ended', async () => {
    const { watch, clock } = watching()
    watch.hear(call('1', 'start'))
    await clock.pass(400_000)
    watch.hear(call('1', 'end'))
    await clock.pass(46_000)
    expect(watch.stopped?.problem).toBe('fake said nothing for 45 s and was ended.')
  })

  it('may be when it tells of calls only when they have ended, unless its provider is silent', async () => {
    const { watch, clock } = watching({ quiet: 'calls' })
    watch.request('began')
    watch.request('ended')
    await clock.pass(300_000)
    expect(watch.stopped).toBeNull()
    watch.request('began')
    await clock.pass(46_000)
    expect(watch.stopped?.problem).toBe('fake said nothing for 45 s and was ended.')
  })

  it('may be when it says everything at its end', async () => {
    const { watch, clock } = watching({ quiet: 'all', limits: { totalMs: 200_000 } })
    await clock.pass(199_000)
    expect(watch.stopped).toBeNull()
    await clock.pass(2000)
    expect(watch.stopped).toEqual(limited('time', 'The time limit of 200 s is reached.'))
  })
})

describe('a provider that does not answer', () => {
  const trouble = (kind: 'auth' | 'quota' | 'rate_limited' | 'overloaded' | 'timeout' | 'network', delayMs?: number): CliEvent => ({
    t: 'retry',
    class: kind,
    problem: 'HTTP error.',
    ...(delayMs !== undefined && { delayMs }),
  })

  it.each(['auth', 'quota'] as const)('because of %s is not asked again', (kind) => {
    const { watch } = watching()
    watch.hear(trouble(kind))
    expect(watch.stopped).toMatchObject({ status: 'failed', class: kind, problem: 'HTTP error.' })
  })

  it.each(['rate_limited', 'overloaded', 'timeout'] as const)('because of %s is left to another one where there is one', (kind) => {
    const alone = watching()
    alone.watch.hear(trouble(kind, 2000))
    expect(alone.watch.stopped).toBeNull()
    const { watch, clock } = watching({ replaceable: true })
    watch.hear(trouble(kind, 2000))
    expect(watch.stopped).toMatchObject({ class: kind, retryAt: clock.now() + 2000 })
  })

  it('for a long time is not waited for', () => {
    const { watch, clock } = watching()
    watch.hear(trouble('rate_limited', 61_000))
    expect(watch.stopped).toMatchObject({ class: 'rate_limited', retryAt: clock.now() + 61_000 })
  })

  it('for longer than it may try is not waited for', () => {
    const { watch } = watching({ limits: { giveUpMs: 20_000 } })
    watch.hear(trouble('overloaded', 21_000))
    expect(watch.stopped).toMatchObject({ class: 'overloaded', problem: 'HTTP error.' })
  })

  it('again and again is given up, by the class of its last answer', async () => {
    const { watch, clock } = watching()
    for (let at = 0; at < 5; at++) {
      watch.hear(trouble('network'))
      await clock.pass(10_000)
    }
    expect(watch.stopped).toMatchObject({ class: 'network', problem: 'HTTP error. fake kept trying for 45 s.' })
  })

  it('is tried twice where another one could do it and nothing is lost, longer when it has answered before', () => {
    const fresh = watching({ replaceable: true })
    fresh.watch.hear(trouble('network'))
    expect(fresh.watch.stopped).toBeNull()
    fresh.watch.hear(trouble('network'))
    expect(fresh.watch.stopped).toMatchObject({ class: 'network' })
    const { watch } = watching({ replaceable: true })
    watch.answered()
    for (let at = 0; at < 5; at++) watch.hear(trouble('network'))
    expect(watch.stopped).toBeNull()
  })

  it('is forgiven when it answers', async () => {
    const { watch, clock } = watching()
    for (let at = 0; at < 10; at++) {
      watch.hear(trouble('network'))
      await clock.pass(10_000)
      watch.answered()
    }
    expect([watch.stopped, watch.trouble]).toEqual([null, null])
  })

  it('is not forgiven for the half of an answer, where whole ones are seen', async () => {
    const { watch, clock } = watching({ metered: true })
    for (let at = 0; at < 5; at++) {
      watch.hear(trouble('network'))
      watch.hear(WORDS)
      await clock.pass(10_000)
    }
    expect(watch.stopped).toMatchObject({ class: 'network', problem: 'HTTP error. fake kept trying for 45 s.' })
  })

  it('is why a program is silent', async () => {
    const { watch, clock } = watching({ limits: { giveUpMs: 900_000 } })
    watch.hear(trouble('network'))
    await clock.pass(46_000)
    expect(watch.stopped).toMatchObject({ class: 'network', problem: 'HTTP error. Then fake said nothing for 45 s.' })
  })
})

describe('an end', () => {
  it('has the first reason only', () => {
    const { watch } = watching()
    watch.stop(limited('usd', 'one'))
    watch.stop(limited('tokens', 'two'))
    expect(watch.stopped?.problem).toBe('one')
  })

  it('is no reason when it came by itself', async () => {
    const { watch, clock } = watching()
    watch.end()
    await clock.pass(100_000)
    watch.stop(limited('usd', 'late'))
    expect([watch.stopped, watch.signal.aborted]).toEqual([null, false])
  })

  it('that the caller wants ends the program, and is not ours', () => {
    const { watch, stop } = watching()
    stop.abort(new Error('cancelled'))
    expect([watch.stopped, watch.signal.aborted]).toEqual([null, true])
  })
})
