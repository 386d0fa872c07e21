import { existsSync, lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeRole } from '../../../test/support/agent.ts'
import { type CliOver, cliDeps, plainAdapter, plainWorkspace, runOnce, say } from '../../../test/support/cli-agent.ts'
import { temporaryFolder, writeFiles } from '../../../test/support/folder.ts'
import type { Json } from '../../core/json.ts'
import { redaction } from '../../core/redact.ts'
import type { Role } from '../../core/role.ts'
import type { MeterOptions } from '../../models/meter/port.ts'
import type { Confinement } from '../../process/port.ts'
import { unconfined } from '../../process/unconfined.ts'
import { createCliAgent } from './agent.ts'
import type { CliDeps } from './deps.ts'
import type { CliAdapter } from './port.ts'

const STARTED = { t: 'started', session: 's-1', model: 'm-1', version: '9.9.9' } as const
const EDIT = [
  { t: 'tool', id: '1', phase: 'start', kind: 'edit', name: 'edit', target: 'a.txt' },
  { t: 'tool', id: '1', phase: 'end', kind: 'edit', name: 'edit', ok: true, output: 'done\nmore' },
] as const
const DONE = { t: 'success', text: 'All done.', turns: 2 } as const
const WORK = say(STARTED, ...EDIT, DONE)

const role = (write: Role['permissions']['write'], more: Partial<Role['permissions']> = {}) =>
  makeRole({ name: 'some-role', permissions: { write, run_commands: true, ...more } })

type Over = CliOver & {
  deps?: Partial<Omit<CliDeps, 'settings' | 'adapter'>>
  adapter?: Partial<CliAdapter>
  settings?: { [key: string]: Json }
  place?: ReturnType<typeof plainWorkspace>
}

async function run(script: string, { deps, adapter: special, settings, place: known, ...over }: Over = {}) {
  const place = known ?? plainWorkspace({ 'a.txt': 'old\n', 'a.test.ts': 'test\n' })
  const adapter = plainAdapter(special)
  const made = cliDeps(script, { ...deps, adapter, ...(settings && { settings }) })
  return { ...(await runOnce(createCliAgent(made), place, over)), place, asked: adapter.asked }
}

describe('a program that is an agent', () => {
  it('gets its prompt, works in the tree, and what it says becomes events and a result', async () => {
    const usage = { t: 'usage', scope: 'total', input: 100, output: 5, cached: 20, costUsd: 0.5 } as const
    const { result, events, place, asked } = await run(`cat > prompt.txt; ${say(STARTED, ...EDIT)}\necho new > a.txt\n${say(usage, DONE)}`)
    const used = { inputTokens: 100, outputTokens: 5, cachedInputTokens: 20, requests: 2 }
    expect(result).toEqual({
      status: 'completed',
      text: 'All done.',
      output: null,
      problem: '',
      class: null,
      retryAt: null,
      usage: used,
      cost: 0.5,
      steps: 2,
      session: 's-1',
    })
    expect(place.files()['a.txt']).toBe('new\n')
    expect(place.files()['prompt.txt']).toContain('# Task\n\nMake it work.')
    expect(events).toEqual([
      { type: 'started', program: 'fake', version: '9.9.9', model: 'm-1', session: 's-1' },
      { type: 'acted', tool: 'edit', target: 'a.txt', ok: true, summary: 'done' },
      { type: 'used', usage: used, cost: 0.5, model: 'm-1', source: 'reported' },
    ])
    expect(asked[0]).toMatchObject({ resume: false, write: true, commands: true, confined: false, limits: { turns: 20, usd: null } })
    expect(place.ways.at(-1)).toMatchObject({ name: 'fake-implementer', secrets: { THE_KEY: 'key-of-the-user-1' }, readOnly: false })
  })

  it('is given its own environment and the variables that are passed on, and no other', async () => {
    const env = { FAKE_KEY: 'k', SECOND_KEY: 'second', OTHER_KEY: 'other', HOME: '/home/user' }
    const settings = { env: { COLOUR: 'blue' }, secrets_env: ['SECOND_KEY'] }
    const { place } = await run(`env > env.txt; ${WORK}`, { deps: { env }, settings })
    const given = place.files()['env.txt'] ?? ''
    for (const line of ['COLOUR=blue', 'SECOND_KEY=second', 'TERM=dumb', 'NO_COLOR=1', 'DO_NOT_TRACK=1', `HOME=${place.home}`]) {
      expect(given.split('\n')).toContain(line)
    }
    expect(given).not.toContain('OTHER_KEY')
  })

  it.each([
    [{ api_key_env: 'MISSING' }, {}, 'needs a key in the environment variable MISSING'],
    [{}, {}, 'needs a key in the environment variable FAKE_KEY'],
    [{ secrets_env: ['SECOND'] }, { FAKE_KEY: 'k' }, 'needs a key in the environment variable SECOND'],
  ])('is not made without its keys: %j', (settings, env, problem) => {
    expect(() => createCliAgent(cliDeps('', { settings, env }))).toThrow(problem)
  })

  it('needs no key where the address of a server is named', async () => {
    const { asked } = await run(WORK, { deps: { env: {} }, settings: { base_url: 'http://127.0.0.1:8080/v1/' } })
    expect(asked[0]?.endpoint).toEqual({ baseUrl: 'http://127.0.0.1:8080', key: 'none' })
  })

  it('that is not there cannot be used', async () => {
    const { result } = await run('', { deps: { program: { path: '/nowhere/fake', version: null } } })
    expect(result).toMatchObject({ status: 'failed', class: 'config', problem: 'The program "/nowhere/fake" was not found.' })
  })

  it('is shown its installation, and finds a prompt in its home that nobody else can read', async () => {
    const { asked, place } = await run(`${say(STARTED)}; cat "$HOME/prompt-implement.md" > got.txt; ${WORK}`)
    const { promptFile, prompt } = asked[0]!
    expect(place.files()['got.txt']).toBe(prompt)
    expect(lstatSync(promptFile).mode & 0o777).toBe(0o600)
    expect(place.ways.at(-1)?.readable?.[0]).toMatch(/\/bin\/fake$/)
  })

  it('does not have files written through links that it left in its home', async () => {
    const outside = join(temporaryFolder(), 'precious')
    writeFileSync(outside, 'mine')
    const place = plainWorkspace({ 'a.txt': 'old\n' })
    symlinkSync(outside, join(place.home, 'prompt-implement.md'))
    symlinkSync(join(outside, '..'), join(place.home, '.config'))
    const plain = plainAdapter()
    const command: CliAdapter['command'] = (request) => ({ ...plain.command(request), files: [{ path: '.config/x.json', text: '{}' }] })
    const { result } = await run(`cat "$HOME/.config/x.json" > x.txt; ${WORK}`, { place, adapter: { command } })
    expect(result.status).toBe('completed')
    expect(readFileSync(outside, 'utf8')).toBe('mine')
    expect(existsSync(join(outside, '..', 'x.json'))).toBe(false)
    expect(place.files()['x.txt']).toBe('{}')
  })
})

describe('what it says', () => {
  it('is told without what is secret, also where that is cut in two', async () => {
    const secret = 'zq-9f8e7d6c5b4a3928'
    const pieces = [`It is ${secret.slice(0, 9)}`, `${secret.slice(9)} I think. `, 'x '.repeat(600)]
    const script = say(
      STARTED,
      ...pieces.map((text) => ({ t: 'text', text }) as const),
      { t: 'notice', level: 'info', text: secret },
      ...EDIT,
      DONE,
    )
    const { events } = await run(script, { deps: { redaction: redaction([secret]) } })
    const told = JSON.stringify(events)
    expect(told).toContain('It is [redacted] I think.')
    expect(told).not.toContain(secret.slice(0, 9))
    expect(told).not.toContain(secret.slice(9))
  })

  it('is told once when it comes in pieces and then whole', async () => {
    const script = say(
      { t: 'text', text: 'One ' },
      { t: 'text', text: 'two.' },
      { t: 'text', text: 'One two.', final: true },
      ...EDIT,
      DONE,
    )
    const { events } = await run(script)
    expect(events.filter((it) => it.type === 'said')).toEqual([{ type: 'said', text: 'One two.' }])
  })

  it('ends each call that it began', async () => {
    const { events, result } = await run(`${say(STARTED, EDIT[0])}\nexit 7`)
    expect(result).toMatchObject({ status: 'failed', class: 'crashed', problem: 'It ended with exit code 7.' })
    expect(events).toContainEqual({ type: 'acted', tool: 'edit', target: 'a.txt', ok: false, summary: 'not finished' })
  })

  it('may be a line of 9 MB, which is left out', async () => {
    const { events, result } = await run(`head -c 9000000 /dev/zero | tr '\\0' x; echo; ${WORK}`)
    expect(result.status).toBe('completed')
    expect(events).toContainEqual({ type: 'noticed', level: 'warning', text: '1 line of its output was too long to be read.' })
  })

  it('is no proof of work: a role that writes has done nothing without a call or a change', async () => {
    const { result } = await run(say(STARTED, DONE))
    expect(result).toMatchObject({ status: 'failed', class: 'bad_output' })
    expect(result.problem).toBe('It said that it was done, but called no tool and changed nothing.')
    const changed = await run(`echo new > a.txt; ${say(STARTED, DONE)}`)
    expect(changed.result.status).toBe('completed')
  })

  it('counts by what went wrong', async () => {
    const error = { t: 'error', class: 'rate_limited', problem: 'Too many.', retryAfterMs: 5000 } as const
    const { result } = await run(`${say(STARTED, error)}\nexit 1`)
    expect(result).toMatchObject({ status: 'failed', class: 'rate_limited', problem: 'Too many.' })
    expect(result.retryAt).toBeGreaterThan(Date.now() + 3000)
  })
})

describe('the files', () => {
  it('are not written by a role that only reads: it has failed, and which files is said', async () => {
    const { result, place } = await run(`echo x > a.txt; echo y > b.txt; ${WORK}`, { role: role('none') })
    expect(result).toMatchObject({
      status: 'failed',
      class: 'bad_output',
      problem: 'The role "some-role" only reads, but these files were changed: a.txt, b.txt.',
    })
    expect(place.ways.at(-1)?.readOnly).toBe(true)
  })

  const refused: [write: Role['permissions']['write'], more: Partial<Role['permissions']>, left: Record<string, string>, named: string][] =
    [
      ['tests', {}, { 'a.txt': 'old\n', 'a.test.ts': 'x\n' }, 'a.txt'],
      ['production', {}, { 'a.txt': 'x\n', 'a.test.ts': 'test\n' }, 'a.test.ts'],
      ['all', { deny: ['a.txt'] }, { 'a.txt': 'old\n', 'a.test.ts': 'x\n' }, 'a.txt'],
      ['all', { forbidden: ['a.txt'] }, { 'a.txt': 'old\n', 'a.test.ts': 'x\n' }, 'a.txt'],
    ]
  it.each(refused)('that a role with %s, %j may not write are put back, and that is said', async (write, more, left, named) => {
    const { result, place, events } = await run(`echo x > a.txt; echo x > a.test.ts; ${WORK}`, { role: role(write, more) })
    expect(result.status).toBe('completed')
    expect(place.files()).toEqual(left)
    expect(events).toContainEqual({
      type: 'noticed',
      level: 'warning',
      text: `The role "some-role" may not change ${named}: put back as it was; what was written is kept in refs/reeve/attempts/r-test/1.`,
    })
  })

  it('of reeve and protected ones are put back whatever the role', async () => {
    const script = `echo x > reeve.toml; mkdir .reeve; echo x > .reeve/x; echo x > a.test.ts; echo x > fine.txt; ${WORK}`
    const { place } = await run(script, { role: role('all'), protectedPaths: ['a.test.ts'] })
    expect(place.files()).toEqual({ 'a.txt': 'old\n', 'a.test.ts': 'test\n', 'fine.txt': 'x\n' })
  })

  it('may not be more than a step may write', async () => {
    const { fileRules } = cliDeps('')
    const { result } = await run(`for it in 1 2 3; do echo x > f$it; done; ${WORK}`, {
      deps: { fileRules: { ...fileRules, max_files: 2 } },
    })
    expect(result).toMatchObject({
      status: 'limited',
      problem: '3 files were written or deleted; one step may do that to 2 (files.max_files).',
    })
  })
})

describe('an answer that must have a shape', () => {
  const outputSchema = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] }
  const answers = (first: string, then: string) =>
    `if [ "$1" = resume ]; then ${say({ t: 'success', text: then })}; else cat > prompt.txt; ${say(STARTED, ...EDIT, { t: 'success', text: first })}; fi`

  it('is found, and asked for in the prompt', async () => {
    const { result, place } = await run(answers('```json\n{"n": 1}\n```', ''), { outputSchema })
    expect(result).toMatchObject({ status: 'completed', output: { n: 1 } })
    expect(place.files()['prompt.txt']).toContain('Your last message must be one JSON value that fits this JSON Schema')
  })

  it('is asked for once more in the same session when it has another', async () => {
    const { result, asked } = await run(answers('one', '{"n": 1}'), { outputSchema })
    expect(result).toMatchObject({ status: 'completed', output: { n: 1 } })
    expect(asked.map((it) => [it.resume, it.session])).toEqual([
      [false, expect.stringMatching(/^[\da-f-]{36}$/)],
      [true, 's-1'],
    ])
    expect(asked[1]?.prompt).toContain('does not have the wanted shape')
  })

  it('and has it the second time neither has failed', async () => {
    const { result } = await run(answers('one', 'two'), { outputSchema })
    expect(result).toMatchObject({ status: 'failed', class: 'bad_output', output: null })
    expect(result.problem).toMatch(/^The answer does not have the wanted shape: /)
  })

  it('is not asked for again where there are no sessions', async () => {
    const { result, asked } = await run(answers('one', '{"n": 1}'), { outputSchema, adapter: { session: 'none' } })
    expect([result.class, asked.length]).toEqual(['bad_output', 1])
  })
})

describe('a session of before', () => {
  it('goes on', async () => {
    const { asked } = await run(WORK, { session: 's-0' })
    expect(asked[0]).toMatchObject({ session: 's-0', resume: true })
  })

  it('that is gone is begun anew, which is said', async () => {
    const { result, asked, events } = await run(`[ "$1" = resume ] && exit 1; ${WORK}`, { session: 's-0' })
    expect(result.status).toBe('completed')
    expect(asked.map((it) => it.resume)).toEqual([true, false])
    expect(events).toContainEqual({
      type: 'noticed',
      level: 'info',
      text: 'Its session of before could not be gone on with; it begins anew.',
    })
  })

  it('that did something before it failed is not begun anew', async () => {
    const { asked, result } = await run(`${say(STARTED, ...EDIT)}\nexit 1`, { session: 's-0' })
    expect([asked.length, result.class]).toEqual([1, 'crashed'])
  })
})

describe('a program that must end', () => {
  const forever = 'sleep 30 & wait'

  it('at once when its key is refused, however long it would try', async () => {
    const retry = { t: 'retry', class: 'auth', problem: 'HTTP 401: no.', status: 401, delayMs: 500 } as const
    const { result, events } = await run(`${say(STARTED, retry)}\n${forever}`)
    expect(result).toMatchObject({ status: 'failed', class: 'auth', problem: 'HTTP 401: no.' })
    expect(events).toContainEqual({ type: 'retrying', class: 'auth', problem: 'HTTP 401: no.', inMs: 500 })
  })

  it('for another provider when this one is busy', async () => {
    const retry = { t: 'retry', class: 'rate_limited', problem: 'HTTP 429.', delayMs: 3000 } as const
    const { result } = await run(`${say(STARTED, retry)}\n${forever}`, { replaceable: true })
    expect(result).toMatchObject({ status: 'failed', class: 'rate_limited' })
    expect(result.retryAt).toBeGreaterThan(Date.now())
  })

  it('when it says nothing', async () => {
    const { result } = await run(forever, { deps: { patience: { firstMs: 100 } } })
    expect(result).toMatchObject({ status: 'failed', class: 'timeout', problem: 'fake said nothing at first for 0.1 s and was ended.' })
  })

  it('at the limit of its turns', async () => {
    const calls = [1, 2, 3].flatMap((id) => EDIT.map((it) => ({ ...it, id: String(id) })))
    const { result } = await run(`${say(STARTED, ...calls)}\n${forever}`, { limits: { steps: 2 } })
    expect(result).toMatchObject({ status: 'limited', limit: 'steps', problem: 'The limit of 2 model steps is reached.', class: null })
  })

  it('when its money is spent, as far as it says', async () => {
    const usage = { t: 'usage', scope: 'turn', input: 1, output: 1, costUsd: 2 } as const
    const { result } = await run(`${say(STARTED, usage)}\n${forever}`, { limits: { usd: 1 } })
    expect(result).toMatchObject({ status: 'limited', limit: 'usd', cost: 2 })
  })

  it('is not ended for money that it tells of when all is done', async () => {
    const usage = { t: 'usage', scope: 'total', input: 1, output: 1, costUsd: 2 } as const
    const { result } = await run(say(STARTED, ...EDIT, usage, DONE), { limits: { usd: 1 } })
    expect(result).toMatchObject({ status: 'completed', cost: 2 })
  })

  it('when the time of the step is over', async () => {
    const { result } = await run(`${say(STARTED)}\n${forever}`, { limits: { timeoutMs: 150 } })
    expect(result).toMatchObject({ status: 'limited', limit: 'time', problem: 'The time limit of 0.15 s is reached.' })
  })

  it('by a limit of the sandbox is told with that limit', async () => {
    const breach = { limit: 'memory', allowed: 100, peak: 120, unit: 'MB', setting: 'sandbox.limits.memory_mb' } as const
    const confinement: Confinement = {
      ...unconfined,
      launch: async (program) => ({
        ...(await unconfined.launch(program)),
        started: (_, broken) => void setTimeout(() => broken(breach), 50),
      }),
    }
    const place = plainWorkspace({ 'a.txt': 'old\n' }, confinement)
    const { result, events } = await run(`${say(STARTED)}\n${forever}`, { place })
    expect(result).toMatchObject({ status: 'limited', class: null, problem: expect.stringContaining('sandbox.limits.memory_mb') })
    expect(events).toContainEqual({ type: 'broke', command: 'fake', breach })
  })

  it('when the step is stopped, and its success does not count then', async () => {
    const stop = new AbortController()
    const script = `trap 'printf "%s\\n" "{\\"t\\":\\"success\\"}"; exit 0' TERM; ${say(STARTED)}\n${forever}`
    const { result } = await run(script, { signal: stop.signal, emit: () => stop.abort(new Error('enough')) })
    expect(result).toMatchObject({ status: 'aborted', class: 'aborted' })
  })
})

describe('the way to its models', () => {
  const confined = { ...unconfined, level: 'os-sandbox' } as const

  function metering(act: (told: MeterOptions['told']) => void) {
    const seen: MeterOptions[] = []
    const closed: number[] = []
    const startMeter: NonNullable<CliDeps['startMeter']> = async (options) => {
      seen.push(options)
      // When the program is under way.
      setTimeout(() => act(options.told), 50)
      const socketPath = options.folder === null ? null : '/tmp/m/s'
      return { url: 'http://127.0.0.1:20001', port: 20_001, token: 'token-1', socketPath, close: async () => void closed.push(1) }
    }
    return { startMeter, seen, closed }
  }
  const tokens = { input: 1000, output: 50, cached: 0 }
  const usage = { inputTokens: 1000, outputTokens: 50, cachedInputTokens: 0, requests: 1 }
  const refusal = { status: 429, problem: 'HTTP 429', retryAfterMs: 2000, by: 'provider' } as const

  it('goes by a proxy that has the key; the program has a token, and in a sandbox a socket only', async () => {
    const { startMeter, seen, closed } = metering((told) => told.onUsage({ usage, tokens, cost: 0.25, model: 'm-7', source: 'metered' }))
    const place = plainWorkspace({ 'a.txt': 'old\n' }, confined)
    const { asked, result, events } = await run(
      `${say(STARTED, ...EDIT)}; sleep 0.2; ${say({ t: 'usage', scope: 'total', input: 1, output: 1 }, DONE)}`,
      {
        place,
        deps: { startMeter },
      },
    )
    expect(asked[0]).toMatchObject({ endpoint: { baseUrl: 'http://127.0.0.1:20001', key: 'token-1' }, confined: true })
    expect(place.ways.at(-1)).toMatchObject({ hosts: [], services: [{ port: 20_001, socketPath: '/tmp/m/s' }] })
    expect(seen[0]).toMatchObject({
      upstream: 'http://127.0.0.1:9',
      key: 'key-of-the-user-1',
      listenTcp: false,
      origin: { role: 'implementer' },
    })
    expect([result.usage, result.cost, closed.length]).toEqual([usage, 0.25, 1])
    expect(events.filter((it) => it.type === 'used').map((it) => it.source)).toEqual(['metered'])
  })

  it('is direct, with the key itself, where the user has said so', async () => {
    const { startMeter, seen } = metering(() => undefined)
    const { asked, place } = await run(WORK, { deps: { startMeter }, settings: { meter: false, base_url: 'https://models.example/v1' } })
    expect(asked[0]?.endpoint).toEqual({ baseUrl: 'https://models.example', key: 'key-of-the-user-1' })
    expect(place.ways.at(-1)?.hosts).toEqual([{ host: 'models.example', port: 443, own: true }])
    expect(seen).toEqual([])
  })

  it('is told of refusals by the proxy, whatever the program does with them', async () => {
    const { startMeter, seen } = metering((told) => told.onStatus({ ...refusal, class: 'auth' }))
    const { result } = await run(`${say(STARTED)}; sleep 30`, { deps: { startMeter } })
    expect(result).toMatchObject({ status: 'failed', class: 'auth', problem: 'HTTP 429' })
    expect(seen[0]).toMatchObject({ folder: null, listenTcp: true })
  })

  it('gives a failure the class that was seen last', async () => {
    const { startMeter } = metering((told) => told.onStatus({ ...refusal, class: 'overloaded' }))
    const { result } = await run(
      `${say(STARTED)}; sleep 0.2; ${say({ t: 'error', class: null, problem: 'API said something.' })}; exit 1`,
      {
        deps: { startMeter },
      },
    )
    expect(result).toMatchObject({ class: 'overloaded', problem: 'API said something.' })
    expect(result.retryAt).toBeGreaterThan(Date.now())
  })

  it('ends with the budget', async () => {
    const { startMeter } = metering((told) => told.onLimit({ limit: 'usd', problem: 'No money.' }))
    const { result } = await run(`${say(STARTED)}; sleep 30`, { deps: { startMeter } })
    expect(result).toMatchObject({ status: 'limited', limit: 'usd', problem: 'No money.' })
  })

  it('is, for a program whose requests nobody sees, one turn at the account, which learns how it went', async () => {
    const left: unknown[] = []
    const admission: NonNullable<CliDeps['admission']> = {
      enter: async ({ origin, inputTokens }) => {
        left.push([origin.step, inputTokens > 100])
        return { admitted: true, leave: async (outcome) => void left.push(outcome) }
      },
    }
    const retry = { t: 'retry', class: 'quota', problem: 'Used up.', delayMs: 1000 } as const
    const usage = { t: 'usage', scope: 'turn', input: 10, output: 1 } as const
    await run(`${say(STARTED, usage, retry)}; sleep 30`, { deps: { admission } })
    const outcome = { class: 'quota', tokens: { input: 10, output: 1, cached: 0 }, retryAt: expect.any(Number), problem: 'Used up.' }
    expect(left).toEqual([['implement', true], outcome])
  })

  it('is not begun where the account is closed', async () => {
    const admission: NonNullable<CliDeps['admission']> = { enter: async () => ({ admitted: false, retryAt: 7, problem: 'Closed.' }) }
    const { result, asked } = await run(WORK, { deps: { admission } })
    expect([asked.length, result]).toEqual([
      0,
      expect.objectContaining({ status: 'failed', class: 'rate_limited', retryAt: 7, problem: 'Closed.' }),
    ])
  })

  it("by the user's own log-in is a copy of that log-in, and the hosts of its maker", async () => {
    const realHome = temporaryFolder()
    writeFiles(realHome, { '.fake/login.json': 'the log-in', '.fake/history': 'private' })
    const place = plainWorkspace({ 'a.txt': 'old\n' })
    mkdirSync(join(place.home, '.fake'))
    writeFileSync(join(place.home, '.fake/login.json'), 'an old one')
    const { events } = await run(`cat "$HOME/.fake/login.json" > got.txt; echo new > "$HOME/.fake/login.json"; ${WORK}`, {
      place,
      deps: { realHome, env: {} },
      settings: { login: true, hosts: ['more.example:8443'] },
    })
    expect(place.files()['got.txt']).toBe('the log-in')
    expect(existsSync(join(place.home, '.fake/history'))).toBe(false)
    expect(readFileSync(join(realHome, '.fake/login.json'), 'utf8')).toBe('the log-in')
    expect(place.ways.at(-1)?.hosts).toEqual([
      { host: 'more.example', port: 8443, own: true },
      { host: 'fake.example', port: 443, own: false },
    ])
    expect(events).toContainEqual({
      type: 'noticed',
      level: 'warning',
      text: 'fake renewed its log-in while it worked, in its own home only. If it asks you to log in again yourself, that is why.',
    })
  })
})

describe('codex without a sandbox of ours', () => {
  const script = (code: number) => `[ "$1" = sandbox ] && { echo "Refusing to create helper binaries" >&2; exit ${code}; }; ${WORK}`

  it('is not started when its own would let no command run', async () => {
    const { result } = await run(script(1), { adapter: { kind: 'codex' } })
    expect(result).toMatchObject({ status: 'failed', class: 'config' })
    expect(result.problem).toBe(
      'The sandbox of codex does not start here, so that it could run no command: Refusing to create helper binaries',
    )
  })

  it('is started when it works, and not asked where ours holds it', async () => {
    expect((await run(script(0), { adapter: { kind: 'codex' } })).result.status).toBe('completed')
    const place = plainWorkspace({ 'a.txt': 'old\n' }, { ...unconfined, level: 'os-sandbox' })
    expect((await run(script(1), { adapter: { kind: 'codex' }, place })).result.status).toBe('completed')
  })
})
