import { existsSync, lstatSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeRole } from '../../../test/support/agent.ts'
import { cliDeps, DONE, EDIT, plainAdapter, plainWorkspace, runScript, STARTED, say, WORK } from '../../../test/support/cli-agent.ts'
import { temporaryFolder } from '../../../test/support/folder.ts'
import { redaction } from '../../core/redact.ts'
import type { Role } from '../../core/role.ts'
import type { Confinement } from '../../process/port.ts'
import { unconfined } from '../../process/unconfined.ts'
import { createCliAgent } from './agent.ts'
import type { CliAdapter } from './port.ts'

const role = (write: Role['permissions']['write'], more: Partial<Role['permissions']> = {}) =>
  makeRole({ name: 'some-role', permissions: { write, run_commands: true, ...more } })

describe('a program that is an agent', () => {
  it('gets its prompt, works in the tree, and what it says becomes events and a result', async () => {
    const usage = { t: 'usage', scope: 'total', input: 100, output: 5, cached: 20, costUsd: 0.5 } as const
    const { result, events, place, asked } = await runScript(
      `cat > prompt.txt; ${say(STARTED, ...EDIT)}\necho new > a.txt\n${say(usage, DONE)}`,
    )
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
    const { place } = await runScript(`env > env.txt; ${WORK}`, { deps: { env }, settings })
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
    const { asked } = await runScript(WORK, { deps: { env: {} }, settings: { base_url: 'http://127.0.0.1:8080/v1/' } })
    expect(asked[0]?.endpoint).toEqual({ baseUrl: 'http://127.0.0.1:8080', key: 'none' })
  })

  it('that is not there cannot be used', async () => {
    const { result } = await runScript('', { deps: { program: { path: '/nowhere/fake', version: null } } })
    expect(result).toMatchObject({ status: 'failed', class: 'config', problem: 'The program "/nowhere/fake" was not found.' })
  })

  it('is shown its installation, and finds a prompt in its home that nobody else can read', async () => {
    const { asked, place } = await runScript(`${say(STARTED)}; cat "$HOME/prompt-implement.md" > got.txt; ${WORK}`)
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
    const { result } = await runScript(`cat "$HOME/.config/x.json" > x.txt; ${WORK}`, { place, adapter: { command } })
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
    const { events } = await runScript(script, { deps: { redaction: redaction([secret]) } })
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
    const { events } = await runScript(script)
    expect(events.filter((it) => it.type === 'said')).toEqual([{ type: 'said', text: 'One two.' }])
  })

  it('ends each call that it began', async () => {
    const { events, result } = await runScript(`${say(STARTED, EDIT[0])}\nexit 7`)
    expect(result).toMatchObject({ status: 'failed', class: 'crashed', problem: 'It ended with exit code 7.' })
    expect(events).toContainEqual({ type: 'acted', tool: 'edit', target: 'a.txt', ok: false, summary: 'not finished' })
  })

  it('may be a line of 9 MB, which is left out', async () => {
    const { events, result } = await runScript(`head -c 9000000 /dev/zero | tr '\\0' x; echo; ${WORK}`)
    expect(result.status).toBe('completed')
    expect(events).toContainEqual({ type: 'noticed', level: 'warning', text: '1 line of its output was too long to be read.' })
  })

  it('is no proof of work: a role that writes has done nothing without a call or a change', async () => {
    const { result } = await runScript(say(STARTED, DONE))
    expect(result).toMatchObject({ status: 'failed', class: 'bad_output' })
    expect(result.problem).toBe('It said that it was done, but called no tool and changed nothing.')
    const changed = await runScript(`echo new > a.txt; ${say(STARTED, DONE)}`)
    expect(changed.result.status).toBe('completed')
  })

  it('counts by what went wrong', async () => {
    const error = { t: 'error', class: 'rate_limited', problem: 'Too many.', retryAfterMs: 5000 } as const
    const { result } = await runScript(`${say(STARTED, error)}\nexit 1`)
    expect(result).toMatchObject({ status: 'failed', class: 'rate_limited', problem: 'Too many.' })
    expect(result.retryAt).toBeGreaterThan(Date.now() + 3000)
  })
})

describe('the files', () => {
  it('are not written by a role that only reads: it has failed, and which files is said', async () => {
    const { result, place } = await runScript(`echo x > a.txt; echo y > b.txt; ${WORK}`, { role: role('none') })
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
    const { result, place, events } = await runScript(`echo x > a.txt; echo x > a.test.ts; ${WORK}`, { role: role(write, more) })
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
    const { place } = await runScript(script, { role: role('all'), protectedPaths: ['a.test.ts'] })
    expect(place.files()).toEqual({ 'a.txt': 'old\n', 'a.test.ts': 'test\n', 'fine.txt': 'x\n' })
  })

  it('may not be more than a step may write', async () => {
    const { fileRules } = cliDeps('')
    const { result } = await runScript(`for it in 1 2 3; do echo x > f$it; done; ${WORK}`, {
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
    const { result, place } = await runScript(answers('```json\n{"n": 1}\n```', ''), { outputSchema })
    expect(result).toMatchObject({ status: 'completed', output: { n: 1 } })
    expect(place.files()['prompt.txt']).toContain('Your last message must be one JSON value that fits this JSON Schema')
  })

  it('is asked for once more in the same session when it has another', async () => {
    const { result, asked } = await runScript(answers('one', '{"n": 1}'), { outputSchema })
    expect(result).toMatchObject({ status: 'completed', output: { n: 1 } })
    expect(asked.map((it) => [it.resume, it.session])).toEqual([
      [false, expect.stringMatching(/^[\da-f-]{36}$/)],
      [true, 's-1'],
    ])
    expect(asked[1]?.prompt).toContain('does not have the wanted shape')
  })

  it('and has it the second time neither has failed', async () => {
    const { result } = await runScript(answers('one', 'two'), { outputSchema })
    expect(result).toMatchObject({ status: 'failed', class: 'bad_output', output: null })
    expect(result.problem).toMatch(/^The answer does not have the wanted shape: /)
  })

  it('is not asked for again where there are no sessions', async () => {
    const { result, asked } = await runScript(answers('one', '{"n": 1}'), { outputSchema, adapter: { session: 'none' } })
    expect([result.class, asked.length]).toEqual(['bad_output', 1])
  })
})

describe('a session of before', () => {
  it('goes on', async () => {
    const { asked } = await runScript(WORK, { session: 's-0' })
    expect(asked[0]).toMatchObject({ session: 's-0', resume: true })
  })

  it('that is gone is begun anew, which is said', async () => {
    const { result, asked, events } = await runScript(`[ "$1" = resume ] && exit 1; ${WORK}`, { session: 's-0' })
    expect(result.status).toBe('completed')
    expect(asked.map((it) => it.resume)).toEqual([true, false])
    expect(events).toContainEqual({
      type: 'noticed',
      level: 'info',
      text: 'Its session of before could not be gone on with; it begins anew.',
    })
  })

  it('that did something before it failed is not begun anew', async () => {
    const { asked, result } = await runScript(`${say(STARTED, ...EDIT)}\nexit 1`, { session: 's-0' })
    expect([asked.length, result.class]).toEqual([1, 'crashed'])
  })
})

describe('a program that must end', () => {
  const forever = 'sleep 30 & wait'

  it('at once when its key is refused, however long it would try', async () => {
    const retry = { t: 'retry', class: 'auth', problem: 'HTTP 401: no.', status: 401, delayMs: 500 } as const
    const { result, events } = await runScript(`${say(STARTED, retry)}\n${forever}`)
    expect(result).toMatchObject({ status: 'failed', class: 'auth', problem: 'HTTP 401: no.' })
    expect(events).toContainEqual({ type: 'retrying', class: 'auth', problem: 'HTTP 401: no.', inMs: 500 })
  })

  it('for another provider when this one is busy', async () => {
    const retry = { t: 'retry', class: 'rate_limited', problem: 'HTTP 429.', delayMs: 3000 } as const
    const { result } = await runScript(`${say(STARTED, retry)}\n${forever}`, { replaceable: true })
    expect(result).toMatchObject({ status: 'failed', class: 'rate_limited' })
    expect(result.retryAt).toBeGreaterThan(Date.now())
  })

  it('when it says nothing', async () => {
    const { result } = await runScript(forever, { deps: { patience: { firstMs: 100 } } })
    expect(result).toMatchObject({ status: 'failed', class: 'timeout', problem: 'fake said nothing at first for 0.1 s and was ended.' })
  })

  it('at the limit of its turns', async () => {
    const calls = [1, 2, 3].flatMap((id) => EDIT.map((it) => ({ ...it, id: String(id) })))
    const { result } = await runScript(`${say(STARTED, ...calls)}\n${forever}`, { limits: { steps: 2 } })
    expect(result).toMatchObject({ status: 'limited', limit: 'steps', problem: 'The limit of 2 model steps is reached.', class: null })
  })

  it('when its money is spent, as far as it says', async () => {
    const usage = { t: 'usage', scope: 'turn', input: 1, output: 1, costUsd: 2 } as const
    const { result } = await runScript(`${say(STARTED, usage)}\n${forever}`, { limits: { usd: 1 } })
    expect(result).toMatchObject({ status: 'limited', limit: 'usd', cost: 2 })
  })

  it('is not ended for money that it tells of when all is done', async () => {
    const usage = { t: 'usage', scope: 'total', input: 1, output: 1, costUsd: 2 } as const
    const { result } = await runScript(say(STARTED, ...EDIT, usage, DONE), { limits: { usd: 1 } })
    expect(result).toMatchObject({ status: 'completed', cost: 2 })
  })

  it('when the time of the step is over', async () => {
    const { result } = await runScript(`${say(STARTED)}\n${forever}`, { limits: { timeoutMs: 150 } })
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
    const { result, events } = await runScript(`${say(STARTED)}\n${forever}`, { place })
    expect(result).toMatchObject({ status: 'limited', class: null, problem: expect.stringContaining('sandbox.limits.memory_mb') })
    expect(events).toContainEqual({ type: 'broke', command: 'fake', breach })
  })

  it('when the step is stopped, and its success does not count then', async () => {
    const stop = new AbortController()
    const script = `trap 'printf "%s\\n" "{\\"t\\":\\"success\\"}"; exit 0' TERM; ${say(STARTED)}\n${forever}`
    const { result } = await runScript(script, { signal: stop.signal, emit: () => stop.abort(new Error('enough')) })
    expect(result).toMatchObject({ status: 'aborted', class: 'aborted' })
  })
})
