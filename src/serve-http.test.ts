import { chmod, stat, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { TOY_FILES, testApp } from '../test/support/app.ts'
import { selfSigned } from '../test/support/certificate.ts'
import { temporaryFolder } from '../test/support/folder.ts'
import { makeRepository } from '../test/support/repository.ts'
import { localUser } from './core/actor.ts'
import { systemClock } from './core/clock.ts'
import { settingsSchema } from './core/settings.ts'
import { guardGateway } from './daemon/gateway.ts'
import { type HttpParts, openHttp } from './serve-http.ts'
import { createLogger } from './telemetry/logger.ts'

const TOKEN = 't'.repeat(43)
const page = async () => Response.json({ status: 'ok' })

async function setUp() {
  const project = makeRepository(TOY_FILES)
  const app = testApp(project).serve()
  const folder = temporaryFolder()
  const made = selfSigned(['127.0.0.1'])
  const [tls_cert, tls_key, socket] = ['cert.pem', 'key.pem', 'd.sock'].map((it) => join(folder, it)) as [string, string, string]
  await writeFile(tls_cert, made.cert)
  await writeFile(tls_key, made.key)
  await chmod(tls_key, 0o600)
  const open = async (daemon: object) => {
    const parts = {
      app,
      gateway: guardGateway(app, () => 'read'),
      observed: { health: page, ready: page, metrics: page, answered: () => undefined, close: async () => undefined },
      settings: settingsSchema.parse({ daemon: { port: 0, ...daemon } }).daemon,
      log: createLogger({ level: 'error', clock: systemClock, redact: (text) => text, write: () => undefined }),
      clock: systemClock,
      version: '1.2.3',
      user: 'ada',
      token: TOKEN,
      socket,
      status: () => Promise.reject(new Error('nobody asks')),
      stop: () => undefined,
    } satisfies HttpParts
    const opened = await openHttp(parts)
    onTestFinished(() => opened.close(0))
    return opened
  }
  return { project, app, socket, open, made, tls: { tls_cert, tls_key } }
}

it('47: does not listen beyond this machine without TLS and a key, and leaves no socket behind', async () => {
  const { app, project, socket, open, tls } = await setUp()
  await expect(open({ host: '0.0.0.0' })).rejects.toMatchObject({ code: 'unsafe_listen' })
  await expect(open({ host: '0.0.0.0', ...tls })).rejects.toThrow('there is no API key with which anybody could come in')
  const user = app.as({ actor: localUser('ada'), cwd: project, env: null })
  await user.call('keys.add', { name: 'ci' })
  await user.call('keys.revoke', { key: 'ci' })
  await expect(open({ host: '0.0.0.0', ...tls }), 'a key that was revoked is none').rejects.toMatchObject({ code: 'unsafe_listen' })
  await expect(stat(socket)).rejects.toThrow('ENOENT')
})

it('answers over TLS whoever has a key, notes who has none, and opens its socket to its owner alone', async () => {
  const { app, project, socket, open, made, tls } = await setUp()
  const user = app.as({ actor: localUser('ada'), cwd: project, env: null })
  const { value } = await user.call('keys.add', { name: 'ci' })
  const { url } = await open({ host: '127.0.0.1', ...tls })
  expect(url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/)
  const ask = (token: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      const headers = { authorization: `Bearer ${token}` }
      const path = `/api/v1/runs?project=${encodeURIComponent(project)}`
      request(`${url}${path}`, { ca: made.cert, agent: false, headers }, (it) => resolve(it.resume().statusCode))
        .on('error', reject)
        .end()
    })
  expect([await ask(value), await ask(TOKEN), await ask('x'.repeat(43))]).toEqual([200, 200, 401])
  expect((await stat(socket)).mode & 0o777).toBe(0o600)
  const noted = async () => (await user.call('audit.list', { actor: 'unknown' })).lines
  // Nobody waits for that line.
  await expect.poll(noted).toMatchObject([{ action: 'login', via: '127.0.0.1', result: 'the token is wrong' }])
})
