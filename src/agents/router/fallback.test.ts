import { describe, expect, it } from 'vitest'
import { settingsSchema } from '../../core/settings.ts'
import type { ProviderErrorClass } from '../../models/port.ts'
import { afterTries, type Tried } from './fallback.ts'

const settings = settingsSchema.parse({
  providers: {
    order: ['api', 'cli'],
    api: { kind: 'anthropic', model: 'large' },
    cli: { kind: 'claude', model: 'large' },
    small: { kind: 'openai', model: 'small' },
    plain: { kind: 'codex' },
    twin: { kind: 'codex' },
  },
})

function tries(...all: [string, ProviderErrorClass, number?][]): Tried[] {
  return all.map(([provider, kind, until]) => ({ provider, model: 'm', class: kind, problem: 'p', until: until ?? null }))
}

const after = (...all: [string, ProviderErrorClass, number?][]) => {
  const { again, out, closed } = afterTries(tries(...all), settings)
  return { again: again?.provider ?? null, out: [...out.keys()], closed: [...closed.keys()] }
}

describe('after a failed try', () => {
  it.each(['auth', 'config', 'model'] as const)('%s: the next provider', (kind) => {
    expect(after(['cli', kind])).toEqual({ again: null, out: ['cli'], closed: [] })
  })

  it.each(['rate_limited', 'quota'] as const)('%s: the next provider, and later this one again', (kind) => {
    expect(after(['cli', kind, 500])).toEqual({ again: null, out: [], closed: ['cli'] })
  })

  it.each(['overloaded', 'server', 'network'] as const)(
    '%s: a CLI agent once more, then the next; a call has been repeated already',
    (kind) => {
      expect(after(['cli', kind])).toEqual({ again: 'cli', out: [], closed: [] })
      expect(after(['cli', kind], ['cli', kind])).toEqual({ again: null, out: ['cli'], closed: [] })
      expect(after(['api', kind])).toEqual({ again: null, out: ['api'], closed: [] })
    },
  )

  it('timeout: the next provider, and once more only when nobody else is left', () => {
    const { again, out, late } = afterTries(tries(['cli', 'timeout']), settings)
    expect([again, [...out], [...late]]).toEqual([null, [], [['cli', 'failed (timeout: p)']]])
    expect(after(['cli', 'timeout'], ['api', 'auth'], ['cli', 'timeout'])).toEqual({ again: null, out: ['cli', 'api'], closed: [] })
  })

  it.each(['bad_output', 'crashed'] as const)('%s: once more, whatever it is, then the next', (kind) => {
    for (const provider of ['api', 'cli']) {
      expect(after([provider, kind])).toEqual({ again: provider, out: [], closed: [] })
      expect(after([provider, kind], [provider, 'network'])).toEqual({ again: null, out: [provider], closed: [] })
    }
  })

  it.each(['refused', 'context_too_long'] as const)('%s: another model, not the same one behind another door', (kind) => {
    expect(after(['api', kind])).toEqual({ again: null, out: ['api', 'cli'], closed: [] })
    expect(after(['plain', kind]), 'both take the default of their program').toEqual({ again: null, out: ['plain', 'twin'], closed: [] })
    expect(after(['small', kind])).toEqual({ again: null, out: ['small'], closed: [] })
  })

  it('says of each what was wrong', () => {
    const { again, out, closed } = afterTries(tries(['small', 'auth'], ['api', 'quota', 5], ['cli', 'crashed']), settings)
    expect(again?.reason).toBe('once more: it failed (crashed: p)')
    expect([...out]).toEqual([['small', 'failed (auth: p)']])
    expect(closed.get('api')).toEqual({ until: 5, why: 'is limited (quota: p)', misconfigured: false })
  })
})
