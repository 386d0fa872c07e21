import { expect, it } from 'vitest'
import { unkept } from '../../test/support/keeping.ts'
import type { Decision } from '../sandbox/network/decision.ts'
import { telling } from './keeping.ts'

const DECISION: Decision = {
  outcome: 'allowed',
  target: 'packages.invalid:443',
  reason: 'allowed',
  sentence: '',
  address: '192.0.2.1',
  sent: 10,
  received: 100,
  durationMs: 1,
}

it('tells each host that was reached once, with what all connections carried, and each refusal once', async () => {
  const events: unknown[] = []
  const { keeping, told } = telling(unkept, {
    emit: (type, data) => {
      events.push({ type, ...data })
      return Promise.resolve()
    },
  })
  const refusal: Decision = { ...DECISION, outcome: 'refused', target: 'evil.invalid:443', reason: 'not-allowed', sentence: 'No.' }
  for (const it of [DECISION, DECISION, refusal, refusal]) keeping.decided?.(it)
  expect(events).toEqual([])
  await told()
  expect(events).toEqual([
    { type: 'network.reached', target: 'packages.invalid:443', connections: 2, sent: 20, received: 200 },
    { type: 'network.refused', target: 'evil.invalid:443', reason: 'not-allowed', message: 'No.' },
  ])
})
