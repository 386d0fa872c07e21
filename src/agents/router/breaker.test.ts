import { expect, it } from 'vitest'
import { providerSettings } from '../../../test/support/provider.ts'
import { failureOf, healthOf } from './breaker.ts'

const settings = providerSettings({ kind: 'scripted', file: 'x', breaker: { failures: 2, recovery_seconds: 7 } })
const MINUTE = 60_000

it('leaves a provider alone for as long as its class says', () => {
  const open = (...it: [Parameters<typeof failureOf>[0], number | null]) => {
    const { openMs, retryMs } = failureOf(it[0], 'p', it[1], settings)
    return [openMs, retryMs]
  }
  for (const kind of ['auth', 'config', 'model'] as const) expect(open(kind, null)).toEqual([15 * MINUTE, null])
  expect(open('rate_limited', 2000), 'who has nobody else asks when it said').toEqual([30_000, 2000])
  expect(open('rate_limited', 90_000)).toEqual([90_000, 90_000])
  expect(open('rate_limited', null)).toEqual([MINUTE, MINUTE])
  expect(open('quota', 20_000)).toEqual([20_000, null])
  expect(open('quota', null)).toEqual([60 * MINUTE, null])
  for (const kind of ['network', 'overloaded', 'server', 'timeout', 'crashed', 'bad_output'] as const)
    expect(open(kind, null)).toEqual([null, null])
  expect(failureOf('network', 'p'.repeat(900), null, settings)).toMatchObject({ threshold: 2, recoveryMs: 7000 })
  expect(failureOf('network', 'p'.repeat(900), null, settings).problem).toHaveLength(300)
})

it('knows in which state one is', () => {
  const known = { key: 'k', failures: 3, openFor: null, retryIn: null, class: 'network', problem: 'down', triedFor: -5 }
  expect(healthOf(undefined)).toEqual({ status: 'closed' })
  expect(healthOf(known)).toEqual({ status: 'closed' })
  expect(healthOf({ ...known, openFor: 500 })).toMatchObject({ status: 'open', forMs: 500, class: 'network', failures: 3 })
  expect(healthOf({ ...known, openFor: 0 })).toEqual({ status: 'half-open', class: 'network', problem: 'down' })
  expect(healthOf({ ...known, openFor: -1, triedFor: 900 })).toMatchObject({ status: 'trying', forMs: 900 })
  expect(healthOf({ ...known, class: 'quota', openFor: -1 }), 'a limit that is over needs no trying').toEqual({ status: 'closed' })
})
