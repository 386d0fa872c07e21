import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { testApp } from '../../test/support/app.ts'
import { acts, edit, fixtureProject, write } from '../../test/support/fixture-project.ts'
import { git } from '../../test/support/repository.ts'
import { cli, lastLine, type TerminalOptions } from '../../test/support/terminal.ts'
import type { RunView } from '../core/run.ts'

describe('a real run, from words to a landed commit', () => {
  const replies = [
    {
      role: 'implementer',
      turns: acts(
        write('src/double.js', 'export function double(n) {\n  return n * 2\n}\n'),
        write(
          'test/double.test.js',
          "import assert from 'node:assert/strict'\nimport { test } from 'node:test'\nimport { double } from '../src/double.js'\n\ntest('doubles', () => assert.equal(double(4), 8))\n",
        ),
        edit('src/double.js', 'n * 2', '2 * n'),
      ),
    },
  ]

  it('is shown, verified, landed, rescued and cleaned', async () => {
    const project = fixtureProject('node-test', { replies, config: '[runs]\nworkflow = "direct"\n' })
    const app = testApp(project)
    const reeve = (argv: readonly string[], options: TerminalOptions = {}) =>
      cli(argv, { cwd: project, client: app.open(), columns: 120, ...options })

    const ran = await reeve(['run', 'Add double()'], { tty: true })
    expect([ran.exit, ran.err], ran.out).toEqual([0, ''])
    expect(ran.out).toContain('direct/attempt-1/implement')
    const page = await reeve(['show', 'last'])
    expect(page.out).toMatch(/Verdict ✔ passed|Verdict ! warning/)
    expect(page.out).toMatch(/✔ red proof proved/)
    expect((await reeve(['diff', 'last', '--stat'])).out).toMatch(/added +src\/double\.js \+3 -0/)
    const patch = (await reeve(['diff', 'last'])).out
    writeFileSync(join(app.home, 'change.patch'), patch)
    git(project, 'apply', '--check', join(app.home, 'change.patch'))

    const verified = await reeve(['verify', 'last'])
    expect([verified.exit, lastLine(verified.out)], verified.out).toEqual([0, expect.stringMatching(/^MATCH /)])
    expect((await reeve(['land', 'last', '--branch', 'topic/double'])).out).toMatch(/^The branch topic\/double is at /)
    const landed = await reeve(['land', 'last', '--squash'])
    expect([landed.exit, landed.out]).toEqual([0, expect.stringMatching(/^Squashed into main: /)])
    expect(git(project, 'log', '-1', '--format=%B')).toMatch(/^feat: add double\(\)\n[\s\S]*Reeve-Verdict: /)
    expect(existsSync(join(project, 'src/double.js'))).toBe(true)

    const run = JSON.parse((await reeve(['show', 'last', '--json'])).out) as RunView
    writeFileSync(join(run.paths.workspace, 'note.txt'), 'unsaved')
    const kept = await reeve(['rescue', 'last', '--json'])
    const attempts = (JSON.parse(kept.out) as { attempts: { number: number }[] }).attempts
    const number = String(attempts.at(-1)?.number)
    expect((await reeve(['rescue', 'last', '--attempt', number, '--to', join(app.home, 'saved')])).exit).toBe(0)
    expect(readFileSync(join(app.home, 'saved/note.txt'), 'utf8')).toBe('unsaved')
    expect((await reeve(['rescue', 'last', '--attempt', number])).out).toMatch(/is the branch rescue\//)
    expect((await reeve(['clean'])).out).toMatch(/^Cleaned 1 run\./)
    expect(existsSync(run.paths.workspace)).toBe(false)
    expect(git(project, 'worktree', 'list').split('\n')).toHaveLength(1)
    expect((await reeve(['clean'])).out).toBe('There was nothing to clean.\n')
  })

  it('does not land what is red unless forced, and the commit says so', async () => {
    const project = fixtureProject('node-test', {
      replies: [{ role: 'implementer', turns: acts(write('src/double.js', 'export const double = (n) => n * 2\n')) }],
      config: '[runs]\nworkflow = "direct"\nmax_attempts = 1\n',
    })
    const app = testApp(project)
    const reeve = (argv: readonly string[]) => cli(argv, { cwd: project, client: app.open() })
    const ran = await reeve(['run', 'Add double()'])
    expect(ran.exit, ran.out).toBe(1)
    const refused = await reeve(['land', 'last', '--merge'])
    expect([refused.exit, refused.err]).toEqual([
      1,
      expect.stringMatching(
        /has a failed verdict, so it does not land\.\n +Look at it: reeve show r\w+\. To land it all the same: reeve land r\w+ --force/,
      ),
    ])
    const forced = await reeve(['land', 'last', '--merge', '--force'])
    expect([forced.exit, forced.out], forced.err).toEqual([0, expect.stringContaining('Landed by force: the verdict is failed.')])
    expect(git(project, 'log', '-1', '--format=%B')).toContain('Reeve-Verdict: failed (landed with --force)')
  })
})

it('writes the value of a key nowhere: not into events, not into the run, not into the log', async () => {
  const secret = 'hush-0123456789abcdef'
  const replies = [
    {
      role: 'implementer',
      turns: [
        { text: `My key is ${secret}.`, calls: [{ tool: 'run_command', input: { command: `echo ${secret} && false` } }] },
        { text: `Done with ${secret}.` },
      ],
    },
  ]
  const config = '[runs]\nworkflow = "direct"\nmax_attempts = 1\n'
  const project = fixtureProject('node-test', { replies, config, provider: 'api_key_env = "SECRET_OF_MINE_X"\n' })
  const app = testApp(project, { SECRET_OF_MINE_X: secret })
  const reeve = (argv: readonly string[]) => cli(argv, { cwd: project, client: app.open() })
  const ran = await reeve(['run', 'Say your key', '--json'])
  const run = JSON.parse(lastLine(ran.out)) as RunView
  expect(ran.out).toContain('My key is [redacted].')
  for (const text of [ran.out, (await reeve(['show', 'last', '--json'])).out, readFileSync(run.paths.log, 'utf8')])
    expect(text).not.toContain(secret)
  for (const folder of ['reeve/state', 'reeve/data/evidence'].map((it) => join(app.home, it))) {
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((it) => it.isFile())
    expect(files.length, folder).toBeGreaterThan(0)
    for (const it of files) expect(readFileSync(join(it.parentPath, it.name)).includes(secret), it.name).toBe(false)
  }
})
