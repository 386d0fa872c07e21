import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeRole } from '../../../test/support/agent.ts'
import { cliDeps, plainAdapter, plainWorkspace, runOnce, say } from '../../../test/support/cli-agent.ts'
import { temporaryFolder, writeFiles } from '../../../test/support/folder.ts'
import { settingsSchema } from '../../core/settings.ts'
import { adapterOf } from './adapters.ts'
import { createCliAgent } from './agent.ts'
import type { CliAdapter, CliEvent } from './port.ts'

const EDIT = { t: 'tool', id: '1', phase: 'start', kind: 'edit', name: 'edit' } as const
const DONE = { t: 'success', text: 'All done.', turns: 1 } as const

function of(kind: 'claude' | 'codex' | 'opencode') {
  const adapter = adapterOf(kind, settingsSchema.parse({ providers: { x: { kind } } }).providers['x'] as never)
  return (...lines: unknown[]): CliEvent[] => {
    const reader = adapter.reader()
    return lines.flatMap((it) => reader.line(JSON.stringify(it), 'stdout'))
  }
}

describe('what a program says when its agent has a hand in it', () => {
  it.each(['--yolo', '-c', '../../etc/passwd', '..', 'a b', 'a\nb', 'x'.repeat(500)])(
    'names no session %j, which would stand on the next command line',
    async (session) => {
      const place = plainWorkspace({ 'a.txt': 'old\n' })
      const adapter = plainAdapter({ session: 'theirs' })
      const script = say({ t: 'started', session: 's-1' }, { t: 'started', session }, EDIT, { ...DONE, text: 'no JSON' })
      const outputSchema = { type: 'object' }
      const { result } = await runOnce(createCliAgent(cliDeps(script, { adapter })), place, { outputSchema })
      expect(adapter.asked.map((it) => it.session)).toEqual(['', 's-1'])
      expect(result.session).toBe('s-1')
    },
  )

  it('gives nothing back to a budget, and makes no sum that is no number', () => {
    const usage = { input_tokens: -1_000_000, output_tokens: 1e308, cache_read_input_tokens: -5 }
    const [told] = of('claude')({ type: 'result', subtype: 'success', total_cost_usd: -3, usage })
    expect(told).toEqual({ t: 'usage', scope: 'total', input: 0, output: 0, cached: 0, written: 0 })
  })

  it('is not taken for more than words where they are names that every object has', () => {
    for (const type of ['constructor', '__proto__', 'valueOf', 'toString']) {
      expect(of('codex')({ type: 'item.completed', item: { id: '1', type } }), type).toEqual([])
      expect(of('opencode')({ type: 'error', error: { name: type } }), type).toMatchObject([{ t: 'error', class: null }])
    }
  })

  it('does not end reeve where a reader fails over it', async () => {
    const reader: CliAdapter['reader'] = () => {
      const plain = plainAdapter().reader()
      const line: typeof plain.line = (text, stream) => {
        if (text.includes('trap')) throw new TypeError('x is not a function')
        return plain.line(text, stream)
      }
      return { ...plain, line }
    }
    const place = plainWorkspace({ 'a.txt': 'old\n' })
    const agent = createCliAgent(cliDeps(`echo trap; echo new > a.txt; ${say(EDIT, DONE)}`, { adapter: plainAdapter({ reader }) }))
    const { result, events } = await runOnce(agent, place)
    expect(result.status).toBe('completed')
    expect(events).toContainEqual({
      type: 'noticed',
      level: 'warning',
      text: 'A line of its output could not be read: x is not a function',
    })
  })

  it.each([
    { t: 'retry', class: 'quota', problem: 'Wait.', delayMs: 9e11 },
    { t: 'error', class: 'quota', problem: 'Wait.', retryAfterMs: 9e11 },
  ] as const)('does not close an account for years: $t', async (event) => {
    const place = plainWorkspace({ 'a.txt': 'old\n' })
    const { result } = await runOnce(createCliAgent(cliDeps(say(EDIT, event))), place)
    expect([result.class, result.retryAt]).toEqual(['quota', null])
  })

  it('makes no flood of events', async () => {
    const place = plainWorkspace({ 'a.txt': 'old\n' })
    const lines = Array.from({ length: 300 }, (_, at) =>
      say({ t: 'notice', level: 'info', text: `${at}` }, { t: 'denied', tool: 'x', target: '' }),
    )
    const { result, events } = await runOnce(createCliAgent(cliDeps(`echo new > a.txt; ${lines.join('\n')}\n${say(EDIT, DONE)}`)), place)
    expect([result.status, events.length < 210]).toEqual(['completed', true])
  })

  it('makes no long name of an event', async () => {
    const place = plainWorkspace({ 'a.txt': 'old\n' })
    const script = `echo new > a.txt; ${say({ t: 'started', model: 'm'.repeat(5000) }, { ...EDIT, name: 'n'.repeat(5000) }, DONE)}`
    const { events } = await runOnce(createCliAgent(cliDeps(script)), place)
    expect(JSON.stringify(events).length).toBeLessThan(1500)
  })
})

describe('a home', () => {
  const command: CliAdapter['command'] = (request) => ({
    ...plainAdapter().command(request),
    files: [{ path: '.fake/settings.json', text: `{"key":"${request.endpoint?.key}"}` }],
  })

  it('holds neither key nor log-in when the program has ended', async () => {
    const realHome = temporaryFolder()
    writeFiles(realHome, { '.fake/login.json': 'the log-in' })
    for (const login of [true, false]) {
      const place = plainWorkspace({ 'a.txt': 'old\n' })
      const script = `cat "$HOME"/.fake/*.json > got.txt; ${say(EDIT, DONE)}`
      const deps = cliDeps(script, { realHome, settings: { login, meter: false }, adapter: plainAdapter({ command }) })
      await runOnce(createCliAgent(deps), place)
      expect(place.files()['got.txt']).toContain(login ? 'the log-in' : 'key-of-the-user-1')
      expect(
        ['login.json', 'settings.json'].filter((it) => existsSync(join(place.home, '.fake', it))),
        `login: ${login}`,
      ).toEqual([])
    }
  })

  it('is not that of another role, whose agent could leave instructions there', async () => {
    const place = plainWorkspace({ 'a.txt': 'old\n' })
    const agent = createCliAgent(cliDeps(say(EDIT, DONE)))
    for (const name of ['implementer', 'reviewer']) await runOnce(agent, place, { role: makeRole({ name }) })
    expect([...new Set(place.ways.map((it) => it.name))]).toEqual(['fake-implementer', 'fake-reviewer'])
  })
})
