import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { TOY_FILES, testApp } from '../../test/support/app.ts'
import { makeRepository } from '../../test/support/repository.ts'
import { cli, type TerminalOptions } from '../../test/support/terminal.ts'
import type { Client } from '../client/client.ts'

function setUp() {
  const project = makeRepository(TOY_FILES)
  const app = testApp(project)
  const reeve = (argv: readonly string[], options: TerminalOptions = {}) => cli(argv, { cwd: project, client: app.open(), ...options })
  return { project, app, reeve }
}

it('tells why a run waits, with what shows it and what to type', async () => {
  const { reeve } = setUp()
  await reeve(['run', 'Do it', '--workflow', 'asks'])
  const { exit, out } = await reeve(['diagnose', 'last'])
  expect(exit).toBe(0)
  expect(out).toMatch(/^\S+ r\w+ waiting \(approval\)\n/)
  expect(out).toMatch(/It has waited for \d+ s for a person to decide on "land": Shall it land\? \[events 4, 5\]/)
  expect(out).toMatch(/\nNext\n {2}reeve diff r\w+ +what would change\n {2}reeve approve r\w+ +say yes\n/)
  const told = JSON.parse((await reeve(['diagnose', 'last', '--json'])).out) as { findings: { cause: string }[] }
  expect(told.findings[0]?.cause).toBe('approval')
})

it('tells how a run has failed, and of a queued one that nobody works on it', async () => {
  const { reeve } = setUp()
  await reeve(['run', 'Do it', '--workflow', 'broken'])
  expect((await reeve(['diagnose', 'last'])).out).toContain('It failed: The provider is gone.')
  await reeve(['run', 'Do it', '--workflow', 'fine', '--detach'])
  expect((await reeve(['diagnose', 'last'])).out).toContain('It is queued, and no process works on the runs of this data folder.')
  expect((await reeve(['diagnose', 'nope'])).exit).toBe(4)
})

it('makes a backup, checks it, and brings it back when a person says yes', async () => {
  const { reeve, project } = setUp()
  await reeve(['run', 'Do it', '--workflow', 'fine'])
  const folder = join(project, '..', 'kept')
  const made = await reeve(['backup', '../kept'])
  expect(made).toMatchObject({ exit: 0, err: '' })
  expect(made.out).toContain(`The backup is in ${folder}: `)
  expect(made.out).toContain('0 runs in it had not ended.')
  expect((await reeve(['backup', "../it's kept"])).out, 'to be typed as it is').toMatch(/--check '\/.*it'\\''s kept'\n$/)
  expect((await reeve(['restore', '--check', folder])).out).toContain('is whole and can be restored')

  await reeve(['run', 'Something else', '--workflow', 'fine'])
  const refused = await reeve(['restore', folder])
  expect(refused.exit, 'nobody was there to be asked').toBe(2)
  expect(refused.err).toContain('Nothing was restored. To do it without being asked: --yes')
  const { exit, out } = await reeve(['restore', folder], { answers: ['y'] })
  expect(exit).toBe(0)
  expect(out).toContain('Replace the state of reeve, with all its runs, by the backup')
  expect(out).toMatch(/What was there before is kept in .*before-restore-/)
  const runs = (JSON.parse((await reeve(['ls', '--json'])).out) as { task: { title: string } }[]).map((it) => it.task.title)
  expect(runs).toEqual(['Do it'])
})

it('writes the report to a new file that only its owner may read, and over nothing', async () => {
  const { project } = setUp()
  const client = { call: () => Promise.resolve({ report: '# Report\n' }), close: () => Promise.resolve() } as unknown as Client
  const { exit, out } = await cli(['doctor', '--report', 'r.md'], { cwd: project, client })
  const file = join(project, 'r.md')
  expect([exit, out.split('\n')[0]]).toEqual([0, `The report is in ${file}.`])
  expect(readFileSync(file, 'utf8')).toBe('# Report\n')
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const again = await cli(['doctor', '--report', 'r.md'], { cwd: project, client })
  expect(again.exit).toBe(3)
  expect(again.err).toContain('cannot be written: EEXIST')
  const unnamed = await cli(['doctor', '--report', '--json'], { cwd: project, client })
  expect(JSON.parse(unnamed.out)).toEqual({ file: join(project, 'reeve-report-19700101-001640.md') })
})
