import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { TOY_FILES } from '../test/support/app.ts'
import { temporaryFolder } from '../test/support/folder.ts'
import { testHttp } from '../test/support/http.ts'
import { makeRepository } from '../test/support/repository.ts'
import { listen } from './http/listen.ts'
import { connectReeve, type InputOf, type OutputOf } from './reeve-client.ts'

it('finds the daemon of this user by its file, with types of every operation', async () => {
  const project = makeRepository(TOY_FILES)
  const folder = temporaryFolder('reeve-client-')
  const { http } = testHttp()
  const server = await listen(http, { socket: join(folder, 's') })
  onTestFinished(() => server.close())
  writeFileSync(join(folder, 'daemon.json'), JSON.stringify({ socket: join(folder, 's'), token: 'own' }), { mode: 0o600 })
  const reeve = connectReeve({ folder, cwd: project, env: { PATH: process.env['PATH'] } })
  onTestFinished(() => reeve.close())
  const wanted: InputOf<'runs.list'> = { status: ['queued'] }
  const listed: OutputOf<'runs.list'> = await reeve.call('runs.list', wanted)
  expect(listed).toEqual({ runs: [], next: null })
  // @ts-expect-error: there is no such operation
  await expect(reeve.call('runs.lists', {})).rejects.toThrow('there is no operation "runs.lists"; did you mean "runs.list"?')
})

it('says what is missing: a daemon, an address, a file that nobody else may read', async () => {
  const folder = temporaryFolder('reeve-client-')
  await expect(connectReeve({ folder }).call('runs.list', {})).rejects.toMatchObject({ code: 'daemon_not_running', status: 503 })
  expect(() => connectReeve({ url: 'socket:nowhere', token: 'x' })).toThrow('url: "socket:nowhere" is no http address')
  writeFileSync(join(folder, 'daemon.json'), '{}')
  chmodSync(join(folder, 'daemon.json'), 0o644)
  await expect(connectReeve({ folder }).call('runs.list', {})).rejects.toThrow('may be read by others')
})
