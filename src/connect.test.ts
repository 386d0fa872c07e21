import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../test/support/folder.ts'
import { connect } from './connect.ts'

const TEMPLATES = join(import.meta.dirname, '../templates')

it('does in its own process what needs no daemon, and starts one for all else', async () => {
  const home = temporaryFolder('reeve-c-')
  const client = connect({
    env: { PATH: process.env['PATH'], REEVE_HOME: home },
    version: '1.2.3',
    self: [process.execPath, '-e', 'console.error("no daemon today"); process.exit(3)', '--'],
    templates: TEMPLATES,
    cwd: home,
    remark: () => undefined,
  })
  expect(client.resident).toBe(true)
  expect(await client.call('errors.explain', { code: 'daemon_failed' })).toMatchObject({ code: 'daemon_failed' })
  expect(existsSync(join(home, 'state', 'logs', 'daemon-start.log'))).toBe(false)
  await expect(client.call('runs.list', {})).rejects.toThrow('The daemon cannot be used: it ended with exit code 3.\nno daemon today')
  const events = client.stream('runs.events', { run: 'last' })
  await expect(Array.fromAsync(events)).rejects.toThrow('The daemon cannot be used')
  await client.close()
})
