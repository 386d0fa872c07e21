import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeRepository } from '../../test/support/repository.ts'
import { type Played, play, type Scene, verdict } from '../../test/support/run-workflow.ts'
import type { AgentRequest, AgentResult } from '../agents/port.ts'

// Which class means what is in `agents/router/fallback.test.ts`; here is what is done about it, with the real engine, store and git.

type Said = Partial<AgentResult>

function write(request: AgentRequest, text: string): void {
  writeFileSync(join(request.workspace.path, 'src/a.js'), text)
}
const fileOf = (request: AgentRequest) => readFileSync(join(request.workspace.path, 'src/a.js'), 'utf8')
const fails = (kind: AgentResult['class'], over: Said = {}): Said => ({ status: 'failed', class: kind, problem: `it was ${kind}`, ...over })
const done = (request: AgentRequest): Said => {
  write(request, 'export const a = 2\n')
  return {}
}

/** Three providers in order; each is a CLI agent by its kind, so that nothing is repeated within. */
function scene(reply: Scene['reply'], models: [string, string, string] = ['large', 'large', 'small']): Promise<Played> {
  const [one, two, three] = models.map((model) => ({ kind: 'claude', model }))
  return play({
    repository: makeRepository({ 'src/a.js': 'export const a = 1\n' }),
    workflow: 'direct',
    settings: { providers: { order: ['one', 'two', 'three'], one, two, three } },
    reply,
    judge: () => verdict('passed'),
  })
}

const asked = (played: Played) => played.asked.map((it) => `${it.step.replace('direct/attempt-1/implement', '')}${it.provider}`)
const reasons = (played: Played) => played.types('provider.chosen').map((it) => it.data['reason'])

describe('an agent that fails', () => {
  it('for good hands over to the next at once, and is left alone', async () => {
    const kind = 'auth'
    const played = await scene((request, provider) => (provider === 'one' ? fails(kind) : done(request)))
    expect(played.row.state).toBe('succeeded')
    expect(asked(played)).toEqual(['one', '~2two'])
    const [known] = await played.kit.router.health(played.settings)
    expect(known).toMatchObject({ provider: 'one', health: { status: 'open', class: kind, problem: `it was ${kind}` } })
  })

  it('by bad luck is asked once more, in clean files, then the next', async () => {
    const kind = 'crashed'
    const found: string[] = []
    const played = await scene((request, provider) => {
      found.push(fileOf(request))
      if (provider !== 'one') return done(request)
      write(request, 'half done')
      return fails(kind, { session: 's1' })
    })
    expect(played.row.state).toBe('succeeded')
    expect(asked(played)).toEqual(['one', '~2one', '~3two'])
    expect(reasons(played)).toEqual([
      'first in the configured order',
      `once more: it failed (${kind}: it was ${kind})`,
      'next in the configured order',
    ])
    expect(new Set(found), 'nobody finds what another left half done').toEqual(new Set(['export const a = 1\n']))
    expect(played.types('attempt.kept'), 'which is kept').toHaveLength(2)
    expect(played.types('files.changed').map((it) => it.data)).toMatchObject([{ added: [], modified: ['src/a.js'], deleted: [] }])
  })

  it('for a moment goes on in its session where it was', async () => {
    const kind = 'network'
    const seen: unknown[] = []
    const played = await scene((request) => {
      seen.push([request.session, fileOf(request)])
      if (seen.length > 1) return {}
      write(request, 'export const a = 2\n')
      return fails(kind, { session: 's1' })
    })
    expect(played.row.state).toBe('succeeded')
    expect(seen).toEqual([
      [undefined, 'export const a = 1\n'],
      ['s1', 'export const a = 2\n'],
    ])
    expect(asked(played)).toEqual(['one', '~2one'])
    expect(played.types('attempt.kept')).toEqual([])
  })

  it('because of its model hands over to another model', async () => {
    const kind = 'refused'
    const played = await scene((request, provider) => (provider === 'three' ? done(request) : fails(kind)))
    expect(played.row.state).toBe('succeeded')
    expect(asked(played)).toEqual(['one', '~2three'])
    expect(played.types('provider.chosen').at(-1)?.data['passed']).toEqual([
      { provider: 'one', why: `failed (${kind}: it was ${kind})` },
      { provider: 'two', why: `has the same model as one, which failed (${kind}: it was ${kind})` },
    ])
  })

  it('is not asked again in later steps of the run while another is left', async () => {
    let judged = 0
    const played = await play({
      repository: makeRepository({ 'src/a.js': 'export const a = 1\n' }),
      workflow: 'direct',
      settings: { providers: { order: ['one', 'two'], one: { kind: 'claude' }, two: { kind: 'codex' } } },
      reply: (request, provider) => {
        if (provider === 'one') return fails('network')
        write(request, `export const a = ${judged + 2}\n`)
        return {}
      },
      judge: () => verdict(judged++ === 0 ? 'failed' : 'passed'),
    })
    expect(played.row.state).toBe('succeeded')
    expect(played.asked.filter((it) => it.provider === 'one')).toHaveLength(2)
    expect(played.types('provider.chosen').at(-1)?.data['passed']).toEqual([
      { provider: 'one', why: 'failed in this run (network: it was network)' },
    ])
  })

  it('but makes good when it is asked once more is first again in later steps', async () => {
    let [asked, judged] = [0, 0]
    const played = await play({
      repository: makeRepository({ 'src/a.js': 'export const a = 1\n' }),
      workflow: 'direct',
      settings: { providers: { order: ['one', 'two'], one: { kind: 'claude' }, two: { kind: 'codex' } } },
      reply: (request) => {
        if (asked++ === 0) return fails('bad_output')
        write(request, `export const a = ${judged + 2}\n`)
        return {}
      },
      judge: () => verdict(judged++ === 0 ? 'failed' : 'passed'),
    })
    expect(played.row.state).toBe('succeeded')
    expect(played.asked.map((it) => it.provider)).toEqual(['one', 'one', 'one'])
  })

  it('whose agent cannot even be made hands over too', async () => {
    const played = await scene((request) => done(request), ['no-key', 'm', 'm'])
    expect(played.row.state).toBe('succeeded')
    expect(played.types('provider.failed').map((it) => it.data)).toMatchObject([{ provider: 'one', class: 'auth' }])
  })

  it('ends the run with all problems when nobody is left', async () => {
    const played = await scene((_, provider) => fails('auth', { problem: `${provider} has no key` }))
    expect(played.row).toMatchObject({
      state: 'failed',
      message: 'Provider "one", "two", "three" failed: one has no key; two has no key; three has no key',
    })
  })
})

describe('a provider at its limit', () => {
  it('hands over to the next, and is not counted as failed', async () => {
    const until = Date.now() + 3_600_000
    const replaceable: unknown[] = []
    const played = await scene((request, provider) => {
      replaceable.push(request.replaceable)
      return provider === 'one' ? fails('quota', { retryAt: until }) : done(request)
    })
    expect(asked(played)).toEqual(['one', '~2two'])
    expect(replaceable).toEqual([true, true])
    expect(played.types('provider.limited').map((it) => it.data)).toMatchObject([{ provider: 'one', class: 'quota' }])
    expect(played.types('run.waiting')).toEqual([])
  })

  it('is waited for where that is shorter than doing again what is paid already', async () => {
    const seen: unknown[] = []
    const played = await scene((request, provider) => {
      seen.push([provider, request.session])
      return seen.length > 1 ? done(request) : fails('rate_limited', { retryAt: Date.now() + 1500, session: 'talk' })
    })
    expect(played.row.state).toBe('succeeded')
    expect(seen).toEqual([
      ['one', undefined],
      ['one', 'talk'],
    ])
  })

  it('is waited for when all others are out, and each try is paid once', async () => {
    const seen: string[] = []
    const played = await scene((request, provider) => {
      if (provider !== 'one') return fails('auth')
      seen.push(request.origin.step)
      return seen.length === 1 ? fails('quota', { retryAt: Date.now() + 6000 }) : done(request)
    })
    expect(played.row.state, played.row.message ?? '').toBe('succeeded')
    expect(asked(played)).toEqual(['one', '~2two', '~3three', '~4one'])
    expect(played.types('run.waiting').map((it) => it.data['reason'])).toEqual(['quota'])
    expect((await played.store.spend(played.row.id)).usage.requests).toBe(4)
  })

  it('and a budget that is used up meanwhile leave no half work in a checkpoint', async () => {
    let asked = 0
    const played = await play({
      repository: makeRepository({ 'src/a.js': 'export const a = 1\n' }),
      workflow: 'direct',
      settings: { providers: { one: { kind: 'claude' } }, runs: { max_usd: 1 } },
      reply: (request) => {
        asked++
        write(request, 'half done')
        return fails('quota', { retryAt: Date.now() + 1000, cost: 1 })
      },
      judge: () => verdict('passed'),
    })
    expect([played.row.state, asked]).toEqual(['failed', 1])
    expect(played.row.message).toContain('is used up: $1.00 of $1.00')
    expect(played.types('checkpoint.made')).toEqual([])
    expect(played.types('attempt.kept'), 'what was written is not lost').toHaveLength(1)
  })

  it('that is the only one is gone on with where it was', async () => {
    const seen: unknown[] = []
    const played = await play({
      repository: makeRepository({ 'src/a.js': 'export const a = 1\n' }),
      workflow: 'direct',
      reply: (request) => {
        seen.push([request.origin.step, request.session, fileOf(request), request.replaceable])
        if (seen.length > 1) return {}
        write(request, 'export const a = 2\n')
        return fails('quota', { retryAt: Date.now() + 1000, session: 'talk' })
      },
      judge: () => verdict('passed'),
    })
    expect(played.row.state).toBe('succeeded')
    expect(seen).toEqual([
      ['direct/attempt-1/implement', undefined, 'export const a = 1\n', false],
      ['direct/attempt-1/implement', 'talk', 'export const a = 2\n', false],
    ])
    expect(reasons(played)).toEqual(['the only one configured', 'it goes on where it was'])
  })
})
