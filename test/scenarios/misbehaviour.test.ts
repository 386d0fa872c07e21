import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fingerprint } from '../support/fingerprint.ts'
import { acts, fixtureProject, type Reply, shell, write } from '../support/fixture-project.ts'
import { temporaryFolder } from '../support/folder.ts'
import { processesOfRun } from '../support/processes.ts'
import { reeveFor } from '../support/reeve.ts'
import { RANGES } from './cases.ts'
import { findings, refusedReplies } from './refuse.ts'

const CONFIG = '[runs]\nworkflow = "direct"\nmax_attempts = 1\n'
const good = [RANGES.tests, ...RANGES.right]

/** A run that could not be done: exit code 3 with the cause in its message, and nothing changed for the user. */
async function couldNot(replies: readonly Reply[], cause: RegExp, provider = '') {
  const project = fixtureProject('node-test', { replies, config: CONFIG, provider })
  const before = fingerprint(project)
  const began = performance.now()
  const ended = await reeveFor(project).run(RANGES.task)
  const seconds = (performance.now() - began) / 1000
  expect({ exit: ended.exitCode, status: ended.run.status, reason: ended.run.reason }, ended.text).toEqual({
    exit: 3,
    status: 'failed',
    reason: 'error',
  })
  expect(ended.run.message).toMatch(cause)
  expect(fingerprint(project), 'the checkout of the user').toEqual(before)
  return { ...ended, seconds }
}

describe('an agent that misbehaves', () => {
  it('makes calls that make no sense: the run ends and says so', async () => {
    const turns = [
      { raw_call: { tool: 'write_file', input: '{"path": "src/ranges.js", "content": ' } },
      { raw_call: { tool: 'make_coffee', input: { sugar: true } } },
      { raw_call: { tool: 'edit_file', input: [1, 2, 3] } },
      { raw_call: { tool: 'edit_file', input: null } },
    ]
    const ended = await couldNot([{ role: 'implementer', turns }], /script.*no sense/i)
    expect(ended.events.filter((it) => it.type === 'agent.acted' && it.data['ok'] === false).length).toBeGreaterThan(0)
  })

  it('makes one broken call and mends it: the run goes on', async () => {
    const broken = [{ raw_call: { tool: 'write_file', input: 'not an object' } }, { raw_call: { tool: 'read_file', input: {} } }]
    const project = fixtureProject('node-test', {
      replies: [{ role: 'implementer', turns: [...broken, ...acts(...good)] }],
      config: CONFIG,
    })
    const ended = await reeveFor(project).run(RANGES.task)
    expect(ended.exitCode, ended.text).toBe(0)
  })

  it('answers with 50 MB: it is stopped, and nothing of that size is kept', async () => {
    const ended = await couldNot([{ role: 'implementer', turns: [{ text_bytes: 50_000_000 }] }], /longer than/)
    expect(ended.stdout.length).toBeLessThan(200_000)
  })

  it('lets a command print 50 MB: the model and the record get the ends of it', async () => {
    const flood = shell("head -c 50000000 /dev/zero | tr '\\0' x; echo the end")
    const project = fixtureProject('node-test', { replies: [{ role: 'implementer', turns: acts(flood, ...good) }], config: CONFIG })
    const reeve = reeveFor(project)
    const ended = await reeve.run(RANGES.task)
    expect(ended.exitCode, ended.text).toBe(0)
    expect(statSync(join(reeve.home, 'reeve/state/store.db')).size).toBeLessThan(2_000_000)
    expect(ended.run.usage.inputTokens, 'what the model was sent').toBeLessThan(100_000)
  })

  it('writes a test that prints 50 MB and fails: the verdict is readable', async () => {
    const loud = write(
      'test/loud.test.js',
      "import assert from 'node:assert/strict'\nimport { test } from 'node:test'\n\ntest('is loud', () => {\n  for (let at = 0; at < 500; at++) console.log('x'.repeat(100_000))\n  assert.equal(1, 2)\n})\n",
    )
    const replies = [{ role: 'implementer', turns: acts(loud, ...RANGES.right) }]
    const ended = await refusedReplies(RANGES, { name: 'loud', message: /test/i }, replies)
    expect(
      findings(ended)
        .map((it) => it.rule)
        .join('\n'),
    ).toMatch(/is loud/)
    expect(ended.stdout.length).toBeLessThan(1_000_000)
  })

  it('is asked by a provider that hangs: the call ends within its idle limit', async () => {
    const ended = await couldNot(
      [{ role: 'implementer', turns: [{ stall: '10m' }] }],
      /script/,
      'idle_timeout_seconds = 2\nmax_retries = 0\n',
    )
    expect(ended.seconds).toBeLessThan(30)
    expect(ended.events.find((it) => it.type === 'provider.failed')?.data['class']).toBe('timeout')
  })

  it('starts a server and leaves it: nothing is left at work', async () => {
    const server = shell('(sleep 300 & sleep 300 & setsid sleep 300 &) ; true')
    const project = fixtureProject('node-test', { replies: [{ role: 'implementer', turns: acts(server, ...good) }], config: CONFIG })
    const ended = await reeveFor(project).run(RANGES.task)
    expect(ended.exitCode, ended.text).toBe(0)
    expect(processesOfRun(ended.run.id)).toEqual([])
  })
})

describe('an agent that reaches for what is not its own', () => {
  it('cannot write outside the workspace by any path', async () => {
    const outside = temporaryFolder()
    writeFileSync(join(outside, 'secret.txt'), 'before')
    const paths = ['../outside.txt', `${outside}/secret.txt`, 'src/../../outside.txt', '.git/config', '.git/hooks/pre-commit', 'reeve.toml']
    const replies = [{ role: 'implementer', turns: acts(...paths.map((path) => write(path, 'mine'))) }]
    const { events } = await refusedReplies(RANGES, { name: 'outside', message: /Nothing was changed/ }, replies)
    const acted = events.filter((it) => it.type === 'agent.acted')
    expect(acted.map((it) => it.data['ok'])).toEqual(paths.map(() => false))
    expect(readFileSync(join(outside, 'secret.txt'), 'utf8')).toBe('before')
  })

  it('cannot write through a link that leads out, nor leave one behind', async () => {
    const outside = temporaryFolder()
    mkdirSync(join(outside, 'folder'))
    const replies = [
      {
        role: 'implementer',
        turns: acts(
          shell(`ln -s ${outside}/folder src/out && ln -s ${outside}/file.txt src/file.txt`),
          write('src/out/new.txt', 'mine'),
          write('src/file.txt', 'mine'),
        ),
      },
    ]
    const { events } = await refusedReplies(RANGES, { name: 'link' }, replies)
    const writes = events.filter((it) => it.type === 'agent.acted' && it.data['tool'] === 'write_file')
    expect(writes.map((it) => it.data['ok'])).toEqual([false, false])
    expect(existsSync(join(outside, 'folder/new.txt'))).toBe(false)
    expect(existsSync(join(outside, 'file.txt'))).toBe(false)
  })

  it('cannot make reeve read a link that leads out', async () => {
    const outside = temporaryFolder()
    writeFileSync(join(outside, 'secret.txt'), 'the secret of the user')
    const replies = [
      {
        role: 'implementer',
        turns: acts(shell(`ln -s ${outside}/secret.txt src/notes.txt`), { tool: 'read_file', input: { path: 'src/notes.txt' } }),
      },
    ]
    const { events, stdout } = await refusedReplies(RANGES, { name: 'read' }, replies)
    expect(events.find((it) => it.type === 'agent.acted' && it.data['tool'] === 'read_file')?.data['ok']).toBe(false)
    expect(stdout).not.toContain('the secret of the user')
  })

  it('cannot make reeve run a program by poisoned git settings, during the run or after it', async () => {
    const outside = temporaryFolder()
    const mark = join(outside, 'executed')
    const program = `sh -c 'touch ${mark}; cat'`
    const settings = [
      'filter.evil.clean',
      'filter.evil.smudge',
      'core.fsmonitor',
      'diff.external',
      'core.sshCommand',
      'merge.evil.driver',
      'core.pager',
    ]
    const poison = shell(
      [
        'printf "*.js filter=evil diff=evil merge=evil\\n" > .gitattributes',
        ...settings.map((it) => `git config ${it} "${program}" || true`),
        'mkdir -p hooks',
        ...['pre-commit', 'post-checkout', 'post-merge', 'reference-transaction', 'post-index-change'].map(
          (it) => `printf '#!/bin/sh\\ntouch ${mark}\\n' > hooks/${it}`,
        ),
        'chmod +x hooks/*',
        'git config core.hooksPath "$PWD/hooks" || true',
        `git init -q nested && git -C nested config core.fsmonitor "${program}" && echo 1 > nested/file.txt`,
        `rm .git && git init -q --separate-git-dir ${outside}/elsewhere . && git config core.fsmonitor "${program}"`,
        `rm -f ${mark}`,
      ].join('\n'),
    )
    const project = fixtureProject('node-test', { replies: [{ role: 'implementer', turns: acts(...good, poison) }], config: CONFIG })
    const reeve = reeveFor(project)
    // In a sandbox the settings are not there to be poisoned: this is what holds without one.
    const ended = await reeve.run(RANGES.task, { env: { REEVE_SANDBOX__LEVEL: 'guarded' } })
    expect(existsSync(mark), `during the run\n${ended.text}`).toBe(false)
    expect(readFileSync(join(project, '.git/config'), 'utf8'), 'the settings are poisoned').toContain(mark)
    for (const command of [
      ['diff', 'last'],
      ['verify', 'last'],
      ['land', 'last', '--merge', '--force'],
      ['rescue', 'last'],
      ['gate', '--base', 'HEAD'],
      ['clean', '--all'],
    ]) {
      const { text } = await reeve(command, { env: { REEVE_SANDBOX__LEVEL: 'guarded' } })
      expect(existsSync(mark), `reeve ${command.join(' ')} executed a program of the agent\n${text}`).toBe(false)
    }
  })
})
