import { describe, expect, it } from 'vitest'
import { makeRole } from '../../../test/support/agent.ts'
import { type Settings, settingsSchema } from '../../core/settings.ts'
import { type ChoiceRequest, chooseProvider, providerNames } from './choose.ts'

function settings(names: string[], order: string[] = [], over: object = {}, each: Record<string, object> = {}): Settings {
  const providers = Object.fromEntries(names.map((it) => [it, { kind: 'scripted', file: 'x.yaml', ...each[it] }]))
  return settingsSchema.parse({ providers: { order, ...providers }, ...over })
}

function choose(over: Partial<ChoiceRequest> & { settings: Settings; preferred?: string[]; wanted?: string }) {
  const { preferred = [], wanted, ...rest } = over
  return chooseProvider({ role: makeRole({ providers: preferred }), task: wanted === undefined ? {} : { provider: wanted }, ...rest })
}

const chosen = (provider: string, reason: string, passed: object[] = []) => ({ kind: 'chosen', provider, reason, passed })
const limited = (until: number) => ({ until, why: `is limited until ${until}`, misconfigured: false })
const broken = { until: 900, why: 'failed (auth)', misconfigured: true }

describe('the choice of a provider', () => {
  const three = settings(['a', 'b', 'c'], ['b', 'a'])

  it('takes the one the task asks for', () => {
    expect(choose({ settings: three, wanted: 'c', preferred: ['a'] })).toEqual(chosen('c', 'the task asks for it'))
  })

  it('then the one the settings name for the role, then the one the role names', () => {
    const routed = settings(['a', 'b', 'c'], ['b'], { routing: { roles: { implementer: ['x', 'c'], reviewer: ['a'] } } })
    expect(choose({ settings: routed, preferred: ['a'] })).toEqual(chosen('c', '[routing] names it for the role "implementer"'))
    expect(choose({ settings: three, preferred: ['x', 'a'] })).toEqual(chosen('a', 'preferred by the role "implementer"'))
  })

  it('then by priority, then by the order, then by how they are written', () => {
    expect(choose({ settings: three })).toEqual(chosen('b', 'first in the configured order'))
    const ranked = settings(['a', 'b', 'c'], ['b', 'a'], {}, { c: { priority: 5 }, b: { priority: -1 } })
    expect(choose({ settings: ranked })).toEqual(chosen('c', 'its priority is 5'))
    expect(choose({ settings: ranked, out: new Map([['c', 'failed']]) })).toMatchObject({ provider: 'a' })
    expect(choose({ settings: settings(['only']) })).toEqual(chosen('only', 'the only one configured'))
  })

  it('passes over those that are out or closed, and says why of each', () => {
    const out = new Map([['b', 'failed (network)']])
    const closed = new Map([['a', limited(500)]])
    expect(choose({ settings: three, out, closed })).toEqual(
      chosen('c', 'configured, though not in the order', [
        { provider: 'b', why: 'failed (network)' },
        { provider: 'a', why: 'is limited until 500' },
      ]),
    )
  })

  it('asks one that is avoided when nobody else is left', () => {
    const avoided = new Map([['b', 'got stuck in this run']])
    expect(choose({ settings: three, avoided })).toMatchObject({ provider: 'a', passed: [{ provider: 'b', why: 'got stuck in this run' }] })
    const out = new Map(['a', 'c'].map((it) => [it, 'failed'] as const))
    expect(choose({ settings: three, avoided, out })).toMatchObject({
      provider: 'b',
      reason: 'nobody else is left, though it got stuck in this run',
    })
  })

  it('waits for the first that comes back when all that are left are closed for a time', () => {
    const out = new Map([['c', 'failed (crashed)']])
    const closed = new Map([
      ['a', limited(500)],
      ['b', limited(300)],
    ])
    expect(choose({ settings: three, out, closed, now: 100 })).toMatchObject({
      kind: 'wait',
      until: 300,
      problem: 'b is limited until 300; a is limited until 500; c failed (crashed)',
    })
    expect(choose({ settings: three, out, closed, now: 300 })).toMatchObject({
      provider: 'b',
      reason: 'nobody else is left, and its pause is over',
    })
  })

  it('waits for a limited one rather than for one that somebody has to mend; and asks that one rather than nobody', () => {
    const two = settings(['a', 'b'], ['a', 'b'])
    const closed = new Map([
      ['a', broken],
      ['b', limited(5000)],
    ])
    expect(choose({ settings: two, closed, now: 100 })).toMatchObject({ kind: 'wait', until: 5000 })
    expect(choose({ settings: two, closed, now: 100, out: new Map([['b', 'x']]) })).toMatchObject({ kind: 'chosen', provider: 'a' })
  })

  it('has nobody when all are out', () => {
    const out = new Map(['a', 'b', 'c'].map((it) => [it, 'failed'] as const))
    expect(choose({ settings: three, out })).toMatchObject({ kind: 'none' })
  })

  it('prefers whom it is told to, unless that one is closed', () => {
    const prefer = { provider: 'c', reason: 'once more' }
    expect(choose({ settings: three, prefer })).toEqual(chosen('c', 'once more'))
    const closed = new Map([['c', limited(5)]])
    expect(choose({ settings: three, prefer, closed, now: 4 })).toMatchObject({ provider: 'b' })
    expect(choose({ settings: three, prefer, closed, now: 5 }), 'who waited for it does not wait for more').toMatchObject({ provider: 'c' })
  })

  it('throws when none is configured, or the task names an unknown one', () => {
    expect(() => choose({ settings: settings([]) })).toThrow('No provider is configured')
    expect(() => choose({ settings: three, wanted: 'd' })).toThrow('No provider "d". Configured providers: b, a, c.')
  })

  it('lists providers in order, then as they are written, each once', () => {
    expect(providerNames(settings(['x', 'a', 'b'], ['b', 'gone', 'b']))).toEqual(['b', 'x', 'a'])
  })
})
