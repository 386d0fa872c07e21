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
const REFUSAL: Decision = { ...DECISION, outcome: 'refused', target: 'evil.invalid:443', reason: 'not-allowed', sentence: 'No.' }
const REFUSED = { type: 'network.refused', target: 'evil.invalid:443', reason: 'not-allowed', message: 'No.' }

function events() {
  const all: unknown[] = []
  const emit = (type: string, data: object) => {
    all.push({ type, ...data })
    return Promise.resolve()
  }
  return { all, emit }
}

it('tells each host that was reached once, with what all connections carried, and each refusal once', async () => {
  const { all, emit } = events()
  const result = await telling(unkept, { emit }, (keeping) => {
    for (const one of [DECISION, DECISION, REFUSAL, REFUSAL]) keeping.decided?.(one)
    expect(all).toEqual([])
    return Promise.resolve('installed')
  })
  expect(result).toBe('installed')
  expect(all).toEqual([{ type: 'network.reached', target: 'packages.invalid:443', connections: 2, sent: 20, received: 200 }, REFUSED])
})

it('tells what was refused also when the work failed, which is when somebody looks for it', async () => {
  const { all, emit } = events()
  const work = telling(unkept, { emit }, (keeping) => {
    keeping.decided?.(REFUSAL)
    return Promise.reject(new Error('The setup command failed.'))
  })
  await expect(work).rejects.toThrow('The setup command failed.')
  expect(all).toEqual([REFUSED])
})
