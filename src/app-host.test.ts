import { join } from 'node:path'
import { expect, it } from 'vitest'
import { testApp } from '../test/support/app.ts'
import { writeFiles } from '../test/support/folder.ts'
import { makeRepository } from '../test/support/repository.ts'
import { localUser } from './core/actor.ts'
import { settingsSchema } from './core/settings.ts'
import { queueLimits } from './operations/queue-settings.ts'

const KEYED = '[providers.mine]\nkind = "openai-compatible"\nbase_url = "http://127.0.0.1:9/v1"\nmodel = "m"\napi_key_env = "MINE_KEY"\n'

it('a terminal that comes back to a daemon that was started anew brings the keys of its runs, and of no other run', async () => {
  const project = makeRepository({ 'a.txt': 'a\n' })
  const made = testApp(project)
  writeFiles(join(made.home, 'reeve'), { 'config/config.toml': KEYED })
  const env = { PATH: process.env['PATH'], HOME: made.home, REEVE_SANDBOX__MINIMUM: 'guarded', MINE_KEY: 'of-one-terminal' }
  /** Its engine is never started: runs stay in the queue. */
  async function daemon() {
    const app = made.serve()
    const resident = await app.reside({ limits: queueLimits(settingsSchema.parse({})), env: {} })
    const of = (name: string) => app.as({ actor: localUser(name), cwd: project, env })
    const hindrance = async (run: string) => resident.hindrance(await (await app.store()).findRun(run))
    return { of, hindrance }
  }
  const submit = async (of: (name: string) => ReturnType<typeof made.open>, name: string) =>
    (await of(name).call('runs.submit', { sentence: 'Do it', workflow: 'fine' })).runs[0]?.id ?? ''

  const first = await daemon()
  const [mine, other] = [await submit(first.of, 'ada'), await submit(first.of, 'ben')]
  expect([await first.hindrance(mine), await first.hindrance(other)]).toEqual([null, null])

  const second = await daemon()
  expect(await second.hindrance(mine)).toContain('it needs MINE_KEY, which the daemon does not have')
  const leave = new AbortController()
  const events = second.of('ada').stream('runs.work', { runs: [mine, other] }, leave.signal)
  await events[Symbol.asyncIterator]().next()
  expect(await second.hindrance(mine)).toBeNull()
  expect(await second.hindrance(other), 'somebody else has submitted it').toContain('it needs MINE_KEY')
  leave.abort()
})
