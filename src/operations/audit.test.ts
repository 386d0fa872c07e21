import { expect, it } from 'vitest'
import { TOY_FILES, testApp } from '../../test/support/app.ts'
import { makeRepository } from '../../test/support/repository.ts'
import { cli } from '../../test/support/terminal.ts'
import { type Actor, localUser } from '../core/actor.ts'

const CI: Actor = { kind: 'key', name: 'key:ci', role: 'operator', projects: null }

function setUp() {
  const project = makeRepository(TOY_FILES)
  const made = testApp(project)
  const app = made.serve()
  const user = app.as({ actor: localUser('ada'), cwd: project, env: null })
  const key = app.as({ actor: CI, cwd: null, env: null, via: '10.0.0.7' })
  const lines = async () => (await user.call('audit.list', {})).lines.map(({ ts: _ts, seq: _seq, ...it }) => it)
  return { project, made, user, key, lines }
}

it('records who asked for what, on what, from where, and what came of it; and nothing that was said', async () => {
  const { user, key, lines } = setUp()
  const { runs } = await user.call('runs.submit', { sentence: 'A long secret story', workflow: 'fine', key: 'mine', priority: 3 })
  const run = runs[0]?.id ?? ''
  await user.call('runs.send', { run: 'last', text: 'And another one' })
  await user.call('runs.list', {})
  await expect(key.call('runs.land', { run, force: true })).rejects.toMatchObject({ code: 'forbidden' })
  await expect(key.call('keys.list', {})).rejects.toMatchObject({ code: 'forbidden' })
  await expect(key.call('runs.cancel', { run: 'r0000' })).rejects.toMatchObject({ code: 'run_not_found' })
  for await (const _event of user.stream('runs.work', { runs: [run] })) {
    // Until it has ended.
  }
  const { value } = await user.call('keys.add', { name: 'board', all_projects: true })
  const written = await lines()
  const [ada, ci] = [
    { actor: 'ada', via: 'cli' },
    { actor: 'key:ci', via: '10.0.0.7' },
  ]
  expect(written).toEqual([
    { ...ada, action: 'runs.submit', target: `priority=3 made=${run}`, result: 'ok' },
    { ...ada, action: 'runs.send', target: `run=${run}`, result: 'ok' },
    { ...ci, action: 'runs.land', target: `run=${run} force=true how=branch`, result: 'forbidden' },
    { ...ci, action: 'keys.list', target: '', result: 'forbidden' },
    { ...ci, action: 'runs.cancel', target: 'run=r0000', result: 'run_not_found' },
    { ...ada, action: 'runs.work', target: `runs=${run}`, result: 'begun' },
    {
      ...ada,
      action: 'keys.add',
      target: expect.stringMatching(/^all_projects=true name=board role=viewer expires=90d made=\w{8}$/) as string,
      result: 'ok',
    },
  ])
  expect(JSON.stringify(written)).not.toMatch(new RegExp(`story|another|mine|${value.slice(12)}`))
})

it('is listed and checked on the command line', async () => {
  const { project, made, user } = setUp()
  const reeve = (...argv: string[]) => cli(argv, { cwd: project, client: made.open(), columns: 200 })
  expect((await reeve('audit', 'list')).err).toContain('Nothing like that is on record.')
  expect((await reeve('audit', 'verify')).out).toBe('Nothing was written yet.\n')
  await user.call('keys.add', { name: 'board', all_projects: true })
  await user.call('keys.revoke', { key: 'board' })
  const { out } = await reeve('audit', 'list', '--since', '1h', '--actor', 'ada')
  expect(out).toMatch(/^LINE +WHEN \(UTC\) +WHO +WHAT +RESULT +FROM +ON\n1 +\d{4}-\S+ +ada +keys\.add +ok +cli +all_projects=true/)
  expect(out.trimEnd().split('\n')).toHaveLength(3)
  const verified = await reeve('audit', 'verify')
  expect(verified.exit).toBe(0)
  const [, head = ''] = /Its end: (\S+)/.exec(verified.out) ?? []
  expect(verified.out).toContain('All 2 lines are as they were written, also against 1 earlier end.')
  expect((await reeve('audit', 'verify', '--head', head)).out).toContain('against 2 earlier ends')
  const longer = `3:${head.slice(2)}`
  const cut = await reeve('audit', 'verify', '--head', longer)
  expect([cut.exit, cut.out]).toEqual([
    1,
    'Line 3 is missing: on the day of --head the record went on to line 3. The 2 before it are as they were written.\n',
  ])
  expect((await reeve('audit', 'verify', '--head', 'x')).err).toContain('allowed: "<line>:<seal>"')
})
