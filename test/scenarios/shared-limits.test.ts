import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { type LoggedRequest, startScriptedServer } from '../../src/models/scripted-server/server.ts'
import { temporaryFolder } from '../support/folder.ts'
import { mostAtOnce, mostWithin } from './server-log.ts'

const WORKER = fileURLToPath(new URL('./limit-worker.ts', import.meta.url))
const MINUTE_MS = 5000
// What a request takes to arrive on a busy machine is the only thing that may differ between our count and the server's.
const SEEN_MS = 4000

function startWorker(...args: string[]): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', WORKER, ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let said = ''
  child.stderr.on('data', (it: Buffer) => (said += it.toString()))
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, said })))
}

it('keeps 8 runs in 2 processes within 4 requests at once and 20 in a minute, by the server’s own log', async () => {
  const server = await startScriptedServer({ steps: [{ say: 'Yes.' }], behaviour: { delay_ms: 100 } })
  onTestFinished(() => server.close())
  const folder = temporaryFolder()
  const args = [folder, server.url, '4', '4', String(MINUTE_MS)]
  const ended = await Promise.all([startWorker(...args), startWorker(...args)])
  expect(ended, 'every run got all its answers').toEqual([
    { code: 0, said: '' },
    { code: 0, said: '' },
  ])

  const asked: LoggedRequest[] = server.log.filter((it) => it.number > 0)
  expect(asked).toHaveLength(32)
  expect(asked.map((it) => it.status)).toEqual(asked.map(() => 200))
  expect(mostAtOnce(asked)).toBeLessThanOrEqual(4)
  expect(mostAtOnce(asked), 'and the places are used').toBeGreaterThanOrEqual(2)
  expect(mostWithin(asked, SEEN_MS)).toBeLessThanOrEqual(20)
})
