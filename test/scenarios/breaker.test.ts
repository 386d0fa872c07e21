import { createServer } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, it, onTestFinished } from 'vitest'
import type { RunEvent } from '../../src/core/event.ts'
import { type ScriptStep } from '../../src/models/scripted-server/script.ts'
import { startScriptedServer } from '../../src/models/scripted-server/server.ts'
import { type Call, fixtureProject } from '../support/fixture-project.ts'
import { type Finished, reeveFor } from '../support/reeve.ts'
import { goodDirect, RANGES } from './cases.ts'

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

const chosen = ({ events }: Finished) => events.filter((it: RunEvent) => it.type === 'provider.chosen').map((it) => it.data)
const LEFT_ALONE = /^is left alone for 10 min \(4 failures, network: /

it('hands over from a provider that is down, leaves it alone in later runs, and comes back to it when it answers', async () => {
  const port = await freePort()
  const config = `[runs]
workflow = "direct"
max_attempts = 1
[providers.local]
kind = "openai-compatible"
base_url = "http://127.0.0.1:${port}/v1"
model = "m"
priority = 1
max_retries = 3
breaker = { failures = 4, recovery_seconds = 600 }
`
  const project = fixtureProject('node-test', { replies: goodDirect(RANGES), config })
  const reeve = reeveFor(project)
  const run = async (id: string) => {
    const ended = await reeve.run({ ...RANGES.task, id })
    expect(ended.exitCode, ended.text).toBe(0)
    return chosen(ended)
  }
  const mine = { provider: 'local', reason: 'its priority is 1' }
  const next = { provider: 'script', reason: 'first in the configured order' }
  const because = (why: RegExp) => [{ provider: 'local', why: expect.stringMatching(why) as string }]

  expect(await run('down')).toMatchObject([mine, { ...next, passed: because(/^failed \(network: /) }])
  expect(await run('left-alone')).toMatchObject([{ ...next, passed: because(LEFT_ALONE) }])
  expect((await reeve(['explain', 'last'])).stdout).toMatch(/script .*first in the configured order; local is left alone for 10 min/)

  const steps = [...[RANGES.tests, ...RANGES.right].map(stepOf), { say: 'Done.' }]
  const server = await startScriptedServer({ steps, port })
  onTestFinished(() => server.close())
  const store = new DatabaseSync(join(reeve.home, 'reeve/state/store.db'))
  onTestFinished(() => store.close())
  store.exec('update breakers set open_until = open_until - 600000')
  expect(await run('again')).toMatchObject([{ ...mine, reason: 'its priority is 1; to see whether it works again' }])
  expect(store.prepare('select * from breakers').all(), 'nothing is held against it').toEqual([])
})

function stepOf({ tool, input }: Call): ScriptStep {
  return { [tool === 'write_file' ? 'write' : 'edit']: input }
}
