import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { TOY_FILES } from '../../test/support/app.ts'
import { temporaryFolder } from '../../test/support/folder.ts'
import { testHttp } from '../../test/support/http.ts'
import { makeRepository } from '../../test/support/repository.ts'
import { listen } from '../http/listen.ts'
import { createClient } from './client.ts'
import { remoteTransport } from './remote.ts'

it('calls and streams over the socket, from the place of the caller', async () => {
  const project = makeRepository(TOY_FILES)
  const { http } = testHttp()
  const socket = join(temporaryFolder('reeve-remote-'), 's')
  const server = await listen(http, { socket })
  onTestFinished(() => server.close())
  const find = async () => ({ at: { socket }, token: 'own' })
  const client = createClient(remoteTransport({ find, place: { cwd: project, env: { PATH: process.env['PATH'] } } }))
  onTestFinished(() => client.close())
  const { runs } = await client.call('runs.submit', { sentence: 'Do it', workflow: 'fine' })
  const id = runs[0]?.id ?? ''
  expect(runs).toMatchObject([{ status: 'queued', paths: { project } }])
  const types: string[] = []
  for await (const event of client.stream('runs.events', { run: id })) types.push(event.type)
  expect(types).toContain('run.queued')
  await expect(client.call('runs.get', { run: 'nothing' })).rejects.toThrow(
    expect.objectContaining({ code: 'run_not_found', message: 'No run "nothing".' }),
  )
  await expect(client.stream('runs.events', { run: 'nothing' })[Symbol.asyncIterator]().next()).rejects.toThrow('No run "nothing".')
})
