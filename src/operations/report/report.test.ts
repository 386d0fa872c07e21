import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { TOY_FILES, testApp } from '../../../test/support/app.ts'
import { writeFiles } from '../../../test/support/folder.ts'
import { makeRepository } from '../../../test/support/repository.ts'
import { forOthers } from './private-words.ts'

// In pieces, so that no scanner of this repository takes them for real ones.
const KEY = ['sk', 'planted', '0123456789abcdefghij'].join('-')
const LATER = ['ghp', 'PlantedPlantedPlanted0123456789abcdef'].join('_')
const TOKEN = 'planted-daemon-token-0123456789abcdef'
const TITLE = 'The very own title of a task'

it('holds what helps, and none of the secrets and contents that lie around', async () => {
  const project = makeRepository({
    ...TOY_FILES,
    'reeve.toml': `${TOY_FILES['reeve.toml']}api_key_env = "PLANTED_KEY"\nheaders = { "x-trace" = "planted-header-value" }\n`,
  })
  const app = testApp(project, { PLANTED_KEY: KEY, REEVE_TEST_TOKEN: 'planted-variable-value' })
  const own = '[network]\nproxy = "http://ann:planted-login@127.0.0.1:9"\n[webhooks.x]\nurl = "http://127.0.0.1:9/planted-path"\n'
  writeFiles(join(app.home, 'reeve', 'config'), { 'config.toml': own })
  const client = app.open()
  const { runs } = await client.call('runs.submit', {
    documents: [{ name: 't.yaml', text: `id: own-task\ntitle: ${TITLE}\ndescription: ${KEY}\nworkflow: broken\n` }],
  })
  for await (const _ of client.stream('runs.work', { runs: runs.map((it) => it.id) }));
  const state = join(app.home, 'reeve', 'state')
  writeFiles(state, {
    'daemon.json': JSON.stringify({ pid: 77, version: '1.2.3', url: 'http://127.0.0.1:7433', token: TOKEN }),
    'logs/daemon.log': `{"message":"asked with ${KEY}"}\n{"message":"pushed with ${LATER} from ${app.home}/project"}\n{"message":"\u001b[31mred"}\n`,
  })
  writeFileSync(join(state, 'token'), TOKEN)
  const { report } = await client.call('doctor.report', {})

  for (const planted of ['planted', 'Planted', TITLE, 'own-task', app.home, '\u001b'])
    expect(report.includes(planted), `"${planted}" is in the report`).toBe(false)
  expect(report).toContain('"message":"asked with [redacted]"')
  expect(report).toMatch(/pushed with \[redacted\] from ~\/project/)
  for (const title of ['Machine', 'Doctor', 'Settings', 'Daemon', 'Log of the daemon', 'Store', 'Failed runs'])
    expect(report).toContain(`\n## ${title}\n`)
  expect(report).not.toContain('"problem"')
  expect(report).toContain('"pid": 77')
  expect(report).toContain('"alive": false')
  expect(report).toContain('"http://127.0.0.1:9/"')
  expect(report).toContain('"reason": "error"')
  expect(report).toMatch(/"\d+ \+\d+s run\.finished status=failed reason=error"/)
  expect(report).toContain('"REEVE_TEST_TOKEN"')
})

it('is made also where the store is damaged, and says so', async () => {
  const app = testApp(makeRepository(TOY_FILES))
  writeFiles(join(app.home, 'reeve', 'state'), { 'store.db': 'rubbish '.repeat(100) })
  const { report } = await app.open().call('doctor.report', {})
  expect(report).toMatch(/## Store\n\n```json\n\{\n {2}"problem": "The store .* could not be used: file is not a database"/)
  expect(report).toContain('## Machine')
})

it('leaves out where the home folder is and what its owner is called, and nothing else', () => {
  const clean = forOthers((text) => text, { home: '/home/martha', user: 'martha' })
  expect(clean(['/home/martha/x', '/home/martha2/x', 'by martha.', 'marthas', { deep: 'C:\\Users\\martha' }])).toEqual([
    '~/x',
    '/home/martha2/x',
    'by <user>.',
    'marthas',
    { deep: 'C:\\Users\\<user>' },
  ])
  expect(forOthers((text) => text, { home: '/', user: 'root' })('/root by root')).toBe('/root by root')
})
