import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { TOY_FILES, testApp } from '../../test/support/app.ts'
import { git, makeRepository } from '../../test/support/repository.ts'
import { cli, fakeTerminal, lastLine, type TerminalOptions } from '../../test/support/terminal.ts'
import type { RunEvent } from '../core/event.ts'
import type { RunView } from '../core/run.ts'
import { main } from './main.ts'

function setUp(files: Record<string, string> = {}) {
  const project = makeRepository({ ...TOY_FILES, ...files })
  const app = testApp(project)
  const reeve = (argv: readonly string[], options: TerminalOptions = {}) => cli(argv, { cwd: project, client: app.open(), ...options })
  return { project, app, reeve }
}

describe('reeve run', () => {
  it('prints a line per event for a pipe, and how it ended with what to do next', async () => {
    const { reeve } = setUp()
    const { exit, out, err } = await reeve(['run', 'Do', 'it', '--workflow', 'fine'])
    expect([exit, err]).toEqual([0, ''])
    const lines = out
      .trimEnd()
      .split('\n')
      .map((it) => it.replace(/^\d\d:\d\d:\d\d /, ''))
    expect(lines[0]).toMatch(/^ {2}queued: task do-it-\w+, workflow fine$/)
    expect(lines).toContain('  started')
    expect(lines.at(-2)).toMatch(/^✔ r\w+ succeeded: It is done\.$/)
    expect(lines.at(-1)).toMatch(/^ {2}next: reeve diff r\w+ {3}reeve land r\w+$/)
  })

  it('prints events as NDJSON with --json, and the finished run as its last line', async () => {
    const { reeve } = setUp()
    const { exit, out } = await reeve(['run', 'Do it', '--workflow', 'fine', '--json'])
    expect(exit).toBe(0)
    const values = out
      .trimEnd()
      .split('\n')
      .map((it) => JSON.parse(it) as RunEvent)
    expect(values.slice(0, -1).map((it) => it.seq)).toEqual(values.slice(0, -1).map((_, at) => at + 1))
    expect(values.at(-1)).toMatchObject({ status: 'succeeded', task: { title: 'Do it' }, steps: [{ name: 'work' }] })
  })

  it('prints one last line for each of several tasks, in their order, and exits with the worst', async () => {
    const { reeve } = setUp()
    const text = ['fine', 'red', 'broken'].map((it) => `id: ${it}\ntitle: ${it}\ndescription: d\nworkflow: ${it}\n`).join('---\n')
    const { exit, out } = await reeve(['run', '-f', 'tasks.yaml', '--json'], { files: { 'tasks.yaml': text } })
    expect(exit).toBe(3)
    const runs = out
      .trimEnd()
      .split('\n')
      .slice(-3)
      .map((it) => JSON.parse(it) as RunView)
    expect(runs.map((it) => [it.task.id, it.status])).toEqual([
      ['fine', 'succeeded'],
      ['red', 'failed'],
      ['broken', 'failed'],
    ])
  })

  it.each([
    ['red', 1, /✖ r\w+ failed \(gates\): The gates said no\./],
    ['broken', 3, /✖ r\w+ failed \(error\): The provider is gone\./],
    ['asks', 5, /◌ r\w+ waiting \(approval\): Shall it land\?\n {2}next: reeve diff r\w+ {3}reeve approve r\w+ {3}reeve reject/],
  ])('that is %s exits with %i', async (workflow, code, said) => {
    const { exit, out } = await setUp().reeve(['run', 'Do it', '--workflow', workflow])
    expect(out).toMatch(said)
    expect(exit).toBe(code)
  })

  it('asks the person at the terminal, and goes on with the answer', async () => {
    const yes = await setUp().reeve(['run', 'Do it', '--workflow', 'asks'], { tty: true, answers: ['hm', 'y'] })
    expect(yes.out).toContain('Go on? [y]es, [n]o, [l]ater:')
    expect(lastLine(yes.out)).toMatch(/reeve land/)
    expect(yes.exit).toBe(0)
    const no = await setUp().reeve(['run', 'Do it', '--workflow', 'asks'], { tty: true, answers: ['no', 'not like this'] })
    expect(no.out).toContain('You said no: not like this')
    expect(no.exit).toBe(1)
    const later = await setUp().reeve(['run', 'Do it', '--workflow', 'asks'], { tty: true, answers: ['l'] })
    expect(later.exit).toBe(5)
  })

  it('detaches on Ctrl-C with exit code 130 and says how to go on; resume does', async () => {
    const { project, app, reeve } = setUp()
    const terminal = fakeTerminal({ cwd: project, client: app.open() })
    const running = main(['run', 'Do it', '--workflow', 'hangs'], terminal.host)
    while (!terminal.out().includes('wait')) await new Promise((resolve) => setTimeout(resolve, 20))
    terminal.interrupt()
    expect(await running).toBe(130)
    expect(terminal.err()).toContain('Detaching')
    expect(lastLine(terminal.out())).toMatch(/next: reeve resume r/)
    const stopped = await reeve(['stop', 'last'])
    expect(stopped.out).toMatch(/^r\w+ is stopped\./)
    expect((await reeve(['resume'])).out).toBe('No run of this project can go on.\n')
  })

  it('leaves a verification at Ctrl-C without taking that for a fault of its own', async () => {
    const { project, app, reeve } = setUp()
    await reeve(['run', 'Do it', '--workflow', 'fine'])
    const client = app.open()
    const call: typeof client.call = (_name, _input, signal) =>
      new Promise((_resolve, reject) => {
        const leave = signal ?? AbortSignal.abort()
        leave.addEventListener('abort', () => reject(leave.reason as Error))
      })
    const terminal = fakeTerminal({ cwd: project, client: { ...client, call } })
    const verifying = main(['verify', 'last'], terminal.host)
    while (!terminal.err().includes('clean clone')) await new Promise((resolve) => setTimeout(resolve, 20))
    await new Promise((resolve) => setTimeout(resolve, 20))
    terminal.interrupt()
    expect(await verifying).toBe(130)
    expect(terminal.err()).not.toContain('went wrong')
  })

  it('only queues with --detach', async () => {
    const { reeve } = setUp()
    const { exit, out } = await reeve(['run', 'Do it', '--workflow', 'fine', '--detach'])
    expect([exit, out]).toEqual([0, expect.stringMatching(/^r\w+ is queued: Do it\nWork on it with: reeve resume\n$/)])
    const resumed = await reeve(['resume'])
    expect([resumed.exit, lastLine(resumed.out)]).toEqual([0, expect.stringContaining('next: reeve diff')])
  })

  it('takes the task from standard input', async () => {
    const { exit, out } = await setUp().reeve(['run', '-', '--workflow', 'fine', '--json'], { files: { '-': 'From a pipe\n\nwith more' } })
    expect(exit).toBe(0)
    expect(JSON.parse(lastLine(out))).toMatchObject({ task: { title: 'From a pipe', description: 'From a pipe\n\nwith more' } })
  })

  it('says which task file is not there', async () => {
    const { exit, err } = await setUp().reeve(['run', '--file', 'nope.yaml'])
    expect([exit, err]).toEqual([4, 'reeve: No file "nope.yaml".\n'])
  })
})

describe('looking and steering', () => {
  it('lists, shows, logs and explains', async () => {
    const { reeve } = setUp()
    expect((await reeve(['ls'])).out).toBe('No runs yet. Begin with: reeve run "..."\n')
    await reeve(['run', 'Do it', '--workflow', 'fine'])
    await reeve(['run', 'Do that', '--workflow', 'red'])
    const list = await reeve(['ls'])
    expect(list.out.split('\n')[1]).toMatch(/^✖ r\w+ +failed \(gates\) +Do that +implementer/)
    expect(JSON.parse((await reeve(['ls', '--json', '--status', 'succeeded'])).out)).toMatchObject([
      { status: 'succeeded', task: { title: 'Do it' } },
    ])
    const page = await reeve(['show', 'last'])
    expect(page.out).toMatch(/^✖ Do that r\w+\n {2}failed \(gates\): The gates said no\.\n/)
    expect(page.out).toContain('Next\n  reeve diff')
    expect((await reeve(['logs', 'last'])).out).toMatch(/✖ failed \(gates\): The gates said no\.\n$/)
    expect((await reeve(['logs', '-f', 'last', '--json'])).out.trim().split('\n').length).toBeGreaterThan(2)
    expect((await reeve(['explain', 'last'])).out).toMatch(/failed \(gates\)/)
    expect((await reeve(['explain', 'red_verdict'])).out).toMatch(/^red_verdict \(exit code 1\)/)
    expect((await reeve(['explain', 'red_verdct'])).err).toBe('reeve: No error code "red_verdct". Did you mean "red_verdict"?\n')
    expect((await reeve(['diff', 'last'])).out).toBe('Nothing has been changed yet.\n')
  })

  it('approves and rejects, and goes on here or only notes it', async () => {
    const { reeve } = setUp()
    await reeve(['run', 'Do it', '--workflow', 'asks'])
    const noted = await reeve(['approve', 'last', '--no-wait'])
    expect([noted.exit, noted.out]).toEqual([0, expect.stringMatching(/^Your yes is noted\.\nGo on with: reeve resume r/)])
    expect((await reeve(['resume', 'last'])).exit).toBe(0)
    await reeve(['run', 'Do it', '--workflow', 'asks'])
    const rejected = await reeve(['reject', 'last', '--reason', 'no', '--json'])
    expect(rejected.exit).toBe(1)
    expect(JSON.parse(lastLine(rejected.out))).toMatchObject({ status: 'failed', message: 'You said no: no' })
  })

  it('pauses, sends and retries', async () => {
    const { reeve } = setUp()
    await reeve(['run', 'Do it', '--workflow', 'fine', '--detach'])
    expect((await reeve(['pause', 'last'])).out).toMatch(/is held before its next step/)
    expect((await reeve(['send', 'last', 'mind', 'the gap'])).out).toMatch(/gets it with its next agent/)
    expect((await reeve(['resume', 'last'])).exit).toBe(0)
    const again = await reeve(['retry', 'last', '--workflow', 'red'])
    expect(again.exit).toBe(1)
    expect((await reeve(['clean'])).out).toBe('There was nothing to clean.\n')
  })
})

describe('without a model', () => {
  it('scans', async () => {
    const { reeve } = setUp({ 'src/a.ts': 'export const a = 1\n' })
    const { exit, out } = await reeve(['scan'])
    expect(exit).toBe(0)
    expect(out).toMatch(/^Languages\n/)
    expect(out).toMatch(/tests +npm test +"scripts.test" in package.json/)
    expect(JSON.parse((await reeve(['scan', '--json'])).out)).toMatchObject({
      commands: expect.arrayContaining([expect.objectContaining({ gate: 'tests' })]),
    })
    expect(await reeve(['scan', 'nope'])).toMatchObject({ exit: 4, err: expect.stringMatching(/No file ".*nope"\./) })
  })

  it('runs the gates: green, red, unknown, none', async () => {
    const { project, reeve } = setUp({
      'a.test.js': "require('node:test').test('adds', () => { if (1 + 1 !== 2) throw new Error('no') })\n",
    })
    const green = await reeve(['gate', '--only', 'tests'])
    expect([green.exit, green.out]).toEqual([0, expect.stringMatching(/^Verdict ✔ passed, score 1\.00/)])
    expect(green.err).toContain('✔ tests passed')
    writeFileSync(join(project, 'b.test.js'), "require('node:test').test('breaks', () => { throw new Error('boom') })\n")
    const red = await reeve(['gate', '--json'])
    expect(red.exit).toBe(1)
    expect(JSON.parse(red.out)).toMatchObject({
      status: 'failed',
      gates: expect.arrayContaining([expect.objectContaining({ name: 'tests', status: 'failed' })]),
    })
    expect(await reeve(['gate', '--only', 'tets'])).toMatchObject({
      exit: 2,
      err: 'reeve: No gate "tets". Known gates: build, coverage, lint, tests, types.\n',
    })
    const bare = makeRepository({ 'README.md': 'x' })
    const none = await cli(['gate'], { cwd: bare, client: testApp(bare).open() })
    expect([none.exit, none.err]).toEqual([3, expect.stringContaining('No gate could be found')])
  })

  it('writes a reeve.toml that is valid, once', async () => {
    const { project, reeve } = setUp({ 'reeve.toml': '' })
    git(project, 'rm', '-q', 'reeve.toml')
    writeFileSync(join(project, 'package-lock.json'), '{}')
    const made = await reeve(['init'])
    expect([made.exit, made.out]).toEqual([0, expect.stringContaining('Gates found: tests')])
    const text = readFileSync(join(project, 'reeve.toml'), 'utf8')
    expect(text).toContain('setup = ["npm ci"]')
    expect(text).toContain('# [gates.tests]\n# command = "npm test"')
    expect((await reeve(['config', 'validate'])).out).toBe('The configuration is valid.\n')
    // With its comments taken away it is valid too.
    writeFileSync(join(project, 'reeve.toml'), text.replaceAll(/^# (?=\[|\w+ = |command)/gm, ''))
    const uncommented = await reeve(['config', 'validate'])
    expect([uncommented.exit, uncommented.err]).toEqual([0, ''])
    const again = await reeve(['init'])
    expect([again.exit, again.err]).toEqual([2, expect.stringContaining('There is a reeve.toml already')])
  })

  it('shows settings with their origins, and hides what is secret', async () => {
    const config =
      '[providers.a]\nkind = "openai-compatible"\nbase_url = "http://127.0.0.1:1/v1"\nmodel = "m"\nheaders = { authorization = "Bearer hush-hush-hush", x-run = "{run}" }\n[runs]\nmax_attempts = 7\n'
    const { reeve } = setUp({ 'reeve.toml': config })
    const { out } = await reeve(['config', 'show'])
    expect(out).toMatch(/runs\.max_attempts +7 +reeve\.toml:7/)
    expect(out).toMatch(/runs\.workflow +"build" +default/)
    expect(out).toContain('"[hidden]"')
    expect(out).not.toContain('hush-hush')
    expect((await reeve(['config', 'show', '--json'])).out).not.toContain('hush-hush')
  })

  it('lists roles', async () => {
    const { reeve } = setUp({
      '.reeve/roles/poet.yaml': 'name: poet\ndescription: Writes verse.\nprompt: Be brief.\npermissions: { write: none }\n',
    })
    expect((await reeve(['roles'])).out).toMatch(/\npoet +none +no +Writes verse\.\n/)
  })

  it('checks machine and project; a missing key is named, and exits with 3', async () => {
    const { reeve } = setUp()
    const { exit, out } = await reeve(['doctor'])
    expect(out).toMatch(/✔ machine +git +2\./)
    expect(out).toMatch(/✔ machine +isolation +L[12] (?:guarded|os-sandbox) by \w/)
    expect([exit, lastLine(out)]).toEqual([0, 'All that is needed is there.'])
    const keyless = setUp({ 'reeve.toml': '[providers.c]\nkind = "anthropic"\nmodel = "m"\napi_key_env = "MY_KEY"\n' })
    const bad = await keyless.reeve(['doctor'])
    expect([bad.exit, bad.out.replaceAll(/\s+/g, ' ')]).toEqual([
      3,
      expect.stringContaining('needs a key in the environment variable MY_KEY, which is not set.'),
    ])
    const installed = setUp({ 'package-lock.json': '{}', 'node_modules/a/index.js': '' })
    expect((await installed.reeve(['doctor'])).out.replaceAll(/\s+/g, ' ')).toContain(
      '! project setup node_modules is here, but [project] setup is empty: a run works in a fresh copy without it In reeve.toml: [project] setup = ["npm ci"]',
    )
    const broken = setUp({ 'reeve.toml': 'x = 1\n' })
    expect(await broken.reeve(['doctor'])).toMatchObject({ exit: 3, out: expect.stringContaining('reeve.toml:1: unknown key "x"') })
  })

  it('says all of what is wrong with a provider, also where the table has no room', async () => {
    const { reeve } = setUp({
      'reeve.toml': '[providers.a]\nkind = "openai"\nmodel = "m"\n[providers.b]\nkind = "claude"\nbinary = "reeve-no-such-agent"\n',
    })
    const { exit, out } = await reeve(['providers'])
    expect([exit, out.split('\n').every((line, at) => at > 2 || line.length <= 80)]).toEqual([0, true])
    expect(out).toContain('\na: Provider "a" needs a key in the environment variable OPENAI_API_KEY, which is not set.')
    expect(out).toContain('\nb: not asked: reeve.toml:6: provider "b" runs "reeve-no-such-agent". If it should: reeve trust\n')
  })

  it('says what to do where there is no repository', async () => {
    const { app, reeve } = setUp()
    const outside = join(app.home, 'reeve')
    const lost = await cli(['ls'], { cwd: outside, client: app.open({ cwd: app.home }) })
    expect([lost.exit, lost.err]).toEqual([
      3,
      expect.stringMatching(/is not inside a git repository\.\n +Change into your project, or make one: git init/),
    ])
    expect((await reeve(['ls', '--all'])).exit).toBe(0)
  })
})
