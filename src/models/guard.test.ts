import { expect, it } from 'vitest'
import { systemClock } from '../core/clock.ts'
import { guarded, type OpenRequest, type RawEvent } from './guard.ts'

const END: RawEvent = { type: 'end', tokens: null, finish: 'stop' }
const LIMITS = { totalMs: 60_000, firstByteMs: 200, idleMs: 50, outputChars: 1000 }

/** The text of what came, or the sentence of the failure. */
async function playing(open: OpenRequest, limits: Partial<typeof LIMITS> = {}): Promise<string> {
  try {
    const events = await Array.fromAsync(guarded(open, { ...LIMITS, ...limits }, systemClock, new AbortController().signal))
    return events.map((it) => (it.type === 'text' ? it.text : it.type)).join(' ')
  } catch (error) {
    return (error as Error).message
  }
}

const pause = (ms: number, signal: AbortSignal) => systemClock.sleep(ms, signal)

it('waits longer for the first byte than for the ones after it', async () => {
  const late: OpenRequest = async function* (signal) {
    await pause(100, signal)
    yield { type: 'text', text: 'late' }
    yield END
  }
  expect(await playing(late)).toBe('late end')
  expect(await playing(late, { firstByteMs: 40 })).toBe('Nothing came for 0.04 s (first_byte_timeout_seconds).')
})

it('counts silence from the first sign of life, and names the setting', async () => {
  const alive: OpenRequest = async function* (signal, sign) {
    sign()
    await pause(5000, signal)
    yield END
  }
  expect(await playing(alive, { firstByteMs: 300_000 })).toBe('Nothing came for 0.05 s (idle_timeout_seconds).')
  expect(await playing(async function* () {}, {})).toBe('The stream ended without saying that it was finished.')
})

it('does not outlast its source, however that hangs', async () => {
  const hung: OpenRequest = () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) })
  expect(await playing(hung, { firstByteMs: 30, idleMs: 30 })).toBe('Nothing came for 0.03 s (idle_timeout_seconds).')
  expect(await playing(hung, { totalMs: 30 })).toBe('The answer took longer than 0.03 s (request_timeout_seconds).')
})
