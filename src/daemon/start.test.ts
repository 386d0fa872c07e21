import { readFile, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { temporaryFolder } from '../../test/support/folder.ts'
import type { DaemonStatus } from '../client/daemon.ts'
import { identityOf, isAlive } from '../process/alive.ts'
import { startInBackground } from '../process/background.ts'
import { answerAboutDaemon } from './answer.ts'
import { findDaemon, type StartOptions } from './find.ts'
import { holdDaemonLock, releaseDaemonLock } from './lock.ts'
import { API, type Place, writePlace } from './place.ts'
import { createDaemonControl } from './steer.ts'

interface Fake extends Partial<Pick<DaemonStatus, 'running' | 'requests' | 'startedBy'>> {
  version?: string
  api?: number
}

/** A daemon of this test's own process: its lock, its file and what it says of itself. `stop` is what it does when it is told to end. */
async function fakeDaemon(fake: Fake = {}) {
  const folder = temporaryFolder('reeve-d-')
  const socket = join(folder, 'daemon.sock')
  const { version = '1.0.0', api = API, startedBy = 'command' } = fake
  const place: Place = {
    pid: 2 ** 30,
    process: '1',
    version,
    api,
    socket,
    url: 'http://127.0.0.1:1',
    token: 'secret',
    startedAt: 0,
    startedBy,
    log: join(folder, 'daemon.log'),
  }
  const stops: boolean[] = []
  const status = { ...place, folder, draining: false, running: 0, queued: 0, drainSeconds: 0, requests: 0, ...fake }
  const answer = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const { method = 'GET', url = '/', headers } = incoming
    const request = new Request(`http://localhost${url}`, { method, headers: headers as Record<string, string> })
    const it = await answerAboutDaemon(request, 'socket', {
      token: 'secret',
      status: () => Promise.resolve(status),
      stop: ({ now }) => {
        stops.push(now)
        releaseDaemonLock(folder)
        server.close()
      },
    })
    outgoing.writeHead(it?.status ?? 404)
    outgoing.end(await it?.text())
  }
  const server = createServer((incoming, outgoing) => void answer(incoming, outgoing))
  await holdDaemonLock(folder)
  await new Promise<void>((resolve) => void server.listen(socket, resolve))
  onTestFinished(() => {
    releaseDaemonLock(folder)
    server.close()
    server.closeAllConnections()
  })
  await writePlace(folder, place)
  return { folder, place, stops }
}

function options(folder: string, script = 'process.exit(3)'): StartOptions & { said: string[] } {
  const said: string[] = []
  return {
    folder,
    env: { PATH: process.env['PATH'] },
    version: '1.0.0',
    self: [process.execPath, '-e', script, '--'],
    remark: (line) => void said.push(line),
    said,
  }
}

it('one of the same version is used as it is', async () => {
  const { folder, place, stops } = await fakeDaemon()
  expect(await findDaemon(options(folder))).toEqual(place)
  expect(stops).toEqual([])
})

it('one of another version that has nothing to do makes room; the start that follows says why it failed', async () => {
  const { folder, stops } = await fakeDaemon({ version: '0.9.0' })
  const own = options(folder, "console.error('reeve: the disk is full'); process.exit(3)")
  await expect(findDaemon(own)).rejects.toThrow('The daemon cannot be used: it ended with exit code 3.\nreeve: the disk is full')
  expect(stops).toEqual([false])
})

it('one of another version at work goes on being used, with a remark', async () => {
  const { folder, place, stops } = await fakeDaemon({ version: '0.9.0', running: 2 })
  const own = options(folder)
  expect(await findDaemon(own)).toEqual(place)
  expect(own.said).toEqual([
    'The daemon is reeve 0.9.0, this is 1.0.0. It goes on being used: 2 runs are at work. To change it: reeve daemon restart',
  ])
  expect(stops).toEqual([])
})

it('one of another version that somebody has started by himself is never ended', async () => {
  const { folder, place, stops } = await fakeDaemon({ version: '0.9.0', startedBy: 'serve' })
  const own = options(folder)
  expect(await findDaemon(own)).toEqual(place)
  expect(own.said[0]).toContain('To change it: stop it where it was started (reeve serve) and start it again')
  expect(stops).toEqual([])
})

it('one at work that speaks otherwise is an error that says what to do', async () => {
  const { folder } = await fakeDaemon({ version: '0.9.0', running: 1, api: API - 1 })
  await expect(findDaemon(options(folder))).rejects.toThrow(
    'The daemon is reeve 0.9.0, this is 1.0.0, and they do not understand each other. Do: reeve daemon restart',
  )
})

it('the file of a dead one is no daemon', async () => {
  const folder = temporaryFolder('reeve-d-')
  await writePlace(folder, { ...(await fakeDaemon()).place, socket: join(folder, 'gone.sock') })
  const control = createDaemonControl({ ...options(folder), log: join(folder, 'log') })
  expect(await control.status()).toBeNull()
  expect(await control.stop({ now: false })).toBe(false)
})

it('is asked how it is, and told to end, by whoever has the token', async () => {
  const { folder, place, stops } = await fakeDaemon({ running: 3 })
  const control = createDaemonControl({ ...options(folder), log: place.log })
  expect(await control.status()).toMatchObject({ running: 3, folder, url: place.url })
  expect(await control.stop({ now: true })).toBe(true)
  expect(stops).toEqual([true])
  const other = await fakeDaemon()
  await writePlace(other.folder, { ...other.place, token: 'guess' })
  const wrong = createDaemonControl({ ...options(other.folder), log: place.log })
  await expect(wrong.status()).rejects.toThrow('it does not answer: 401')
  await expect(wrong.stop({ now: false })).rejects.toThrow('does not answer')
})

it('is not started again in the background when somebody has started it by himself', async () => {
  const { folder, place, stops } = await fakeDaemon({ startedBy: 'serve' })
  const control = createDaemonControl({ ...options(folder), log: place.log })
  await expect(control.restart({ now: false })).rejects.toThrow(
    'was started by "reeve serve", so it is not started again in the background',
  )
  expect(stops).toEqual([])
})

it('one that does not answer any more is ended by --now, and only if it is still the same process', async () => {
  const folder = temporaryFolder('reeve-d-')
  // It holds the lock and answers nothing.
  const script = `const { DatabaseSync } = require('node:sqlite')
    const lock = new DatabaseSync(${JSON.stringify(join(folder, 'daemon.lock.db'))})
    lock.exec('pragma locking_mode=exclusive; begin exclusive')
    console.log('held')
    setInterval(() => lock, 1000)`
  const output = join(folder, 'output')
  const { pid = 0 } = startInBackground({ argv: [process.execPath, '-e', script], cwd: folder, env: {}, output })
  const identity = await identityOf(pid)
  onTestFinished(async () => void ((await isAlive(identity)) && process.kill(pid, 'SIGKILL')))
  await expect.poll(() => readFile(output, 'utf8'), { timeout: 20_000 }).toContain('held')
  const place = { ...(await fakeDaemon()).place, socket: join(folder, 'none.sock'), pid }
  const control = createDaemonControl({ ...options(folder), log: place.log })

  await expect(control.stop({ now: false }), 'it has not said yet where it is').rejects.toThrow('it is being started or ended')
  await writePlace(folder, { ...place, process: 'another' })
  await expect(control.status()).rejects.toThrow('it takes no connections, since it is being started or ended')
  await expect(control.stop({ now: false })).rejects.toThrow('does not answer')
  expect(await isAlive(identity)).toBe(true)

  await writePlace(folder, { ...place, process: identity.started })
  expect(await control.stop({ now: true })).toBe(true)
  expect(await control.status()).toBeNull()
})

it('several that wait for the same start get the same daemon', async () => {
  const { folder, place } = await fakeDaemon()
  await writeFile(join(folder, 'daemon.json'), '', { mode: 0o600 })
  const waiting = Promise.all([findDaemon(options(folder)), findDaemon(options(folder))])
  await writePlace(folder, place)
  expect(await waiting).toEqual([place, place])
})
