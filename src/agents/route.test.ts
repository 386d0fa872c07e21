import { describe, expect, it } from 'vitest'
import { makeRole } from '../../test/support/agent.ts'
import { type Settings, settingsSchema } from '../core/settings.ts'
import { chooseProvider, providerNames } from './route.ts'

function settings(names: string[], order: string[] = []): Settings {
  const providers = Object.fromEntries(names.map((it) => [it, { kind: 'scripted', file: 'x.yaml' }]))
  return settingsSchema.parse({ providers: { order, ...providers } })
}

function choose(over: { providers?: string[]; task?: string; settings: Settings; failed?: [string, string][] }) {
  return chooseProvider({
    role: makeRole({ providers: over.providers ?? [] }),
    task: over.task === undefined ? {} : { provider: over.task },
    settings: over.settings,
    ...(over.failed ? { failed: new Map(over.failed) } : {}),
  })
}

describe('the choice of a provider', () => {
  const three = settings(['a', 'b', 'c'], ['b', 'a'])

  it('takes the one the task asks for', () => {
    expect(choose({ settings: three, task: 'c', providers: ['a'] })).toEqual({ provider: 'c', reason: 'the task asks for it' })
  })
  it('then the one the role prefers, if it is configured', () => {
    expect(choose({ settings: three, providers: ['x', 'a'] })).toEqual({ provider: 'a', reason: 'preferred by the role "implementer"' })
  })
  it('then the first of the order', () => {
    expect(choose({ settings: three })).toEqual({ provider: 'b', reason: 'first in the configured order' })
  })
  it('then the next, and says why', () => {
    expect(choose({ settings: three, failed: [['b', 'is overloaded']] })).toEqual({ provider: 'a', reason: 'next after b is overloaded' })
    const two = choose({
      settings: three,
      failed: [
        ['b', 'is overloaded'],
        ['a', 'hangs'],
      ],
    })
    expect(two).toEqual({ provider: 'c', reason: 'next after b is overloaded, a hangs' })
  })
  it('needs no order when there is one', () => {
    expect(choose({ settings: settings(['only']) })).toEqual({ provider: 'only', reason: 'the only one configured' })
  })
  it('throws when none is left, or none is configured', () => {
    expect(() => choose({ settings: settings(['a']), failed: [['a', 'x']] })).toThrow('no agent can work')
    expect(() => choose({ settings: settings([]) })).toThrow('No provider is configured')
  })
  it('throws when the task names an unknown one', () => {
    expect(() => choose({ settings: three, task: 'd' })).toThrow('No provider "d". Configured providers: b, a, c.')
  })
  it('lists providers in order, then as they are written', () => {
    expect(providerNames(settings(['x', 'a', 'b'], ['b', 'gone']))).toEqual(['b', 'x', 'a'])
  })
})
