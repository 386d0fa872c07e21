import { describe, expect, it } from 'vitest'
import { cli } from '../../test/support/terminal.ts'
import { COMMANDS } from './commands.ts'
import { exitOf, worst } from './exits.ts'
import { parseCommandLine } from './program.ts'

describe('wrong use ends with exit code 2 and one sentence', () => {
  it.each([
    [['lss'], 'No command "lss". Did you mean "ls"?'],
    [['rnu', 'do it'], 'No command "rnu". Did you mean "run"?'],
    [['frobnicate'], 'No command "frobnicate". See: reeve --help'],
    [['help', 'shwo'], 'No command "shwo". Did you mean "show"?'],
    [['--jsn'], 'No option "--jsn". Did you mean "--json"?'],
    [['run', '--max-attemps', '2'], 'No option "--max-attemps" of reeve run. Did you mean "--max-attempts"?'],
    [['run', '--xyzzy'], 'No option "--xyzzy" of reeve run. See: reeve run --help'],
    [['run', '--max-attempts', 'x', 'do it'], '--max-attempts is "x"; allowed: a whole number'],
    [['run', '--max-attempts', '1.5'], '--max-attempts is "1.5"; allowed: a whole number'],
    [['run', '--timeout', '-1'], '--timeout is "-1"; allowed: a number'],
    [['run', '--kind', 'epic'], '--kind is "epic"; allowed: feature, bugfix, refactor, docs, chore, test'],
    [['run', '--file'], 'The option -f, --file <path> needs a value. See: reeve run --help'],
    [['ls', '--status', 'bad'], '--status is "bad"; allowed: queued, running, waiting, succeeded, failed, cancelled'],
    [['show'], 'reeve show needs <run>. See: reeve show --help'],
    [['send', 'r1'], 'reeve send needs <text>. See: reeve send --help'],
    [['show', 'a', 'b'], 'Too many arguments for reeve show. See: reeve show --help'],
    [['config'], 'reeve config needs one of: show, validate.'],
    [['config', 'shw'], 'No reeve config command "shw". Did you mean "show"?'],
    [['completion', 'bsh'], 'No completion for the shell "bsh". Did you mean "bash"?'],
    [['run', ' '], 'The task is empty. Say what is wanted, for example: reeve run "Add a --json flag to the export command"'],
    [['land', 'last', '--merge', '--squash'], 'There are --merge and --squash; give one of them.'],
    [
      ['land', 'last', '--merge', '--branch', 'x'],
      '--branch names the branch that is made; --merge and --squash go to the branch you are on.',
    ],
    [['rescue', 'last', '--to', 'x'], 'Which attempt? Give --attempt <n>; without it the kept attempts are listed.'],
  ])('%j', async (argv, sentence) => {
    const { exit, out, err } = await cli(argv)
    expect(err).toBe(`reeve: ${sentence}\n`)
    expect(out).toBe('')
    expect(exit).toBe(2)
  })

  it('as JSON on standard output when it was asked for', async () => {
    const { exit, out, err } = await cli(['lss', '--json'])
    expect(JSON.parse(out)).toEqual({ error: { code: 'invalid_input', message: 'No command "lss". Did you mean "ls"?', hint: null } })
    expect(err).toBe('')
    expect(exit).toBe(2)
  })
})

describe('a good command line', () => {
  it('gives words, options and the global options wherever they stand', () => {
    const parsed = parseCommandLine([
      '-C',
      '/x',
      'run',
      'add',
      'a',
      'flag',
      '-f',
      'a.yaml',
      '--file',
      'b.yaml',
      '--max-attempts',
      '2',
      '--json',
    ])
    expect(parsed).toMatchObject({
      kind: 'command',
      spec: { name: 'run' },
      args: ['add', 'a', 'flag'],
      options: { file: ['a.yaml', 'b.yaml'], maxAttempts: 2 },
      json: true,
      project: '/x',
    })
  })

  it('takes words that look like options behind --', () => {
    expect(parseCommandLine(['run', '--', '--json', 'is broken'])).toMatchObject({ args: ['--json', 'is broken'], json: false })
  })

  it('finds commands of two words', () => {
    expect(parseCommandLine(['config', 'show', '--json'])).toMatchObject({ spec: { name: 'config show' }, json: true })
  })
})

describe('help', () => {
  it('lists every command with its sentence', async () => {
    const { exit, out } = await cli(['--help'])
    expect(exit).toBe(0)
    for (const { name } of COMMANDS) expect(out).toContain(`\n  ${name.split(' ')[0]}`)
  })

  it('is what a bare reeve prints', async () => {
    expect((await cli([])).out).toBe((await cli(['--help'])).out)
  })

  it.each(COMMANDS.map((it) => it.name))('of %s shows an example and the exit codes', async (name) => {
    const { exit, out } = await cli([...name.split(' '), '--help'])
    expect(exit).toBe(0)
    expect(out).toContain(`Usage: reeve ${name}`)
    expect(out).toMatch(/\nExamples:\n {2}\S/)
    expect(out).toMatch(/\nExit codes:\n {2}0 {4}succeeded/)
    expect((await cli(['help', ...name.split(' ')])).out).toBe(out)
  })

  it('prints the version', async () => {
    expect((await cli(['--version'])).out).toBe('1.2.3\n')
    expect((await cli(['version'])).out).toBe('1.2.3\n')
    expect(JSON.parse((await cli(['version', '--json'])).out)).toMatchObject({ reeve: '1.2.3', node: process.version })
  })
})

describe('exit codes', () => {
  it.each([
    ['succeeded', null, 0],
    ['failed', 'gates', 1],
    ['failed', 'error', 3],
    ['failed', 'timeout', 3],
    ['cancelled', null, 1],
    ['waiting', 'approval', 5],
    ['waiting', 'paused', 5],
    ['queued', null, 130],
    ['running', null, 130],
  ])('of a run that is %s (%s): %i', (status, reason, code) => {
    expect(exitOf({ status, reason })).toBe(code)
  })

  it('of several runs: the worst', () => {
    expect(worst([])).toBe(0)
    expect(worst([0, 5])).toBe(5)
    expect(worst([5, 1, 0])).toBe(1)
    expect(worst([1, 3])).toBe(3)
    expect(worst([3, 130, 0])).toBe(130)
  })
})
