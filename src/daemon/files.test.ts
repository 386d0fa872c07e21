import { once } from 'node:events'
import { chmod, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { temporaryFolder } from '../../test/support/folder.ts'
import { placeInUse } from './find.ts'
import { daemonIsAlive, holdDaemonLock, releaseDaemonLock } from './lock.ts'
import { type Place, placeFile, readPlace, removePlace, writePlace } from './place.ts'
import { privateFolder, readPrivate, writePrivate } from './private-files.ts'
import { removeSocket, socketPath } from './socket-path.ts'
import { tokenFile, tokenOf } from './token.ts'
import { lostItsPlace } from './watch-place.ts'

const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8)

const PLACE: Place = {
  pid: 7,
  process: '1',
  version: '1.2.3',
  api: 1,
  socket: '/s',
  url: 'http://127.0.0.1:1',
  token: 't',
  startedAt: 0,
  startedBy: 'serve',
  log: '/l',
}

it('a token is made once for a data folder, 256 bit long, for its owner alone', async () => {
  const folder = temporaryFolder()
  const token = await tokenOf(folder)
  expect(Buffer.from(token, 'base64url')).toHaveLength(32)
  expect(await modeOf(tokenFile(folder))).toBe('600')
  expect(await tokenOf(folder)).toBe(token)
  expect(await tokenOf(temporaryFolder())).not.toBe(token)
})

it('a token that is a link, that others can read, or that is none is refused with what to do', async () => {
  const folder = temporaryFolder()
  const path = tokenFile(folder)
  await writeFile(join(folder, 'elsewhere'), `${'x'.repeat(43)}\n`, { mode: 0o600 })
  await symlink(join(folder, 'elsewhere'), path)
  await expect(tokenOf(folder)).rejects.toThrow(`"${path}" is a link. If nobody was meant to: rm ${path}`)
  const wide = temporaryFolder()
  await writeFile(tokenFile(wide), `${'x'.repeat(43)}\n`, { mode: 0o600 })
  await chmod(tokenFile(wide), 0o640)
  await expect(tokenOf(wide)).rejects.toThrow(`"${tokenFile(wide)}" may be read by others.`)
  await writePrivate(tokenFile(wide), 'short\n')
  await expect(tokenOf(wide)).rejects.toThrow('does not hold a token of reeve. Remove it, and a new one is made.')
  await mkdir(join(folder, 'dir'))
  await expect(readPrivate(join(folder, 'dir'))).rejects.toThrow('is no plain file')
})

it.runIf(process.getuid?.() === 0)('a file or a folder of somebody else is refused', async () => {
  const { chown } = await import('node:fs/promises')
  const folder = temporaryFolder()
  await writePrivate(join(folder, 'a'), 'b')
  await chown(join(folder, 'a'), 4242, 4242)
  await expect(readPrivate(join(folder, 'a'))).rejects.toThrow('belongs to another user')
  await chown(folder, 4242, 4242)
  await expect(privateFolder(folder)).rejects.toThrow('belongs to another user')
})

it.runIf(process.getuid?.() === 0)('46: a socket in a folder of somebody else is no daemon of ours', async () => {
  const { chown } = await import('node:fs/promises')
  const [folder, there] = [temporaryFolder('reeve-d-'), temporaryFolder('reeve-s-')]
  const socket = join(there, 'daemon.sock')
  const server = createServer().listen(socket)
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  await writePlace(folder, { ...PLACE, socket })
  expect(await placeInUse(folder)).toMatchObject({ socket })
  await chown(there, 4242, 4242)
  expect(await placeInUse(folder)).toBeNull()
})

it('the folder is made for its owner alone, narrowed where others can look in, refused where they can write', async () => {
  const folder = join(temporaryFolder(), 'a', 'b')
  await privateFolder(folder)
  expect(await modeOf(folder)).toBe('700')
  await chmod(folder, 0o755)
  await privateFolder(folder)
  expect(await modeOf(folder)).toBe('700')
  await chmod(folder, 0o770)
  await expect(privateFolder(folder)).rejects.toThrow(
    `"${folder}" may be written to by others. If nobody was meant to: chmod 700 ${folder}`,
  )
  await writeFile(join(folder, 'file'), '')
  await expect(privateFolder(join(folder, 'file'))).rejects.toThrow()
})

it('a place is written whole, for its owner alone, and gone when it is removed; half of one counts as none', async () => {
  const folder = temporaryFolder()
  expect(await readPlace(folder)).toBeNull()
  await writePlace(folder, PLACE)
  expect(await readPlace(folder)).toEqual(PLACE)
  expect(await modeOf(placeFile(folder))).toBe('600')
  expect(await readdir(folder)).toEqual(['daemon.json'])
  await writePrivate(placeFile(folder), (await readFile(placeFile(folder), 'utf8')).slice(0, 40))
  expect(await readPlace(folder)).toBeNull()
  await writePrivate(placeFile(folder), '{"socket":7,"token":"t"}')
  expect(await readPlace(folder), 'of another version').toBeNull()
  await removePlace(folder)
  await removePlace(folder)
  expect(await readdir(folder)).toEqual([])
})

it('one process is the daemon of a folder: a second try is refused with the number of the first', async () => {
  const folder = temporaryFolder()
  expect(daemonIsAlive(folder)).toBe(false)
  await holdDaemonLock(folder)
  expect(daemonIsAlive(folder)).toBe(true)
  await writePlace(folder, PLACE)
  await expect(holdDaemonLock(folder)).rejects.toThrow(`A daemon (process 7) works on the data folder "${folder}" already.`)
  releaseDaemonLock(folder)
  expect(daemonIsAlive(folder)).toBe(false)
})

it('a daemon whose folder was removed notices it; a place file that is gone is written again', async () => {
  const folder = temporaryFolder()
  await holdDaemonLock(folder)
  const over = new AbortController()
  let looks = 0
  const clock = {
    now: () => 0,
    async sleep() {
      looks += 1
      if (looks === 2) expect(await readPlace(folder), 'written again').toEqual(PLACE)
      if (looks === 3) await rm(folder, { recursive: true })
      if (looks > 4) over.abort()
    },
  }
  expect(await lostItsPlace({ folder, place: PLACE, clock, signal: over.signal })).toBe(true)
  expect(looks).toBe(3)
  releaseDaemonLock(folder)
  expect(await lostItsPlace({ folder, place: PLACE, clock, signal: AbortSignal.abort() })).toBe(false)
})

it('the socket lies in the state folder, or in a private one where the path would be too long', async () => {
  const folder = temporaryFolder()
  await writeFile(join(folder, 'daemon.sock'), 'of a daemon that was killed before it said where it is')
  expect(await socketPath(folder, {})).toBe(join(folder, 'daemon.sock'))
  expect(await readdir(folder)).toEqual([])
  const long = join(folder, 'x'.repeat(100))
  const runtime = temporaryFolder()
  const there = await socketPath(long, { XDG_RUNTIME_DIR: runtime })
  expect(there).toMatch(new RegExp(`^${runtime}/reeve-[0-9a-f]{12}/daemon\\.sock$`))
  expect(await socketPath(long, { XDG_RUNTIME_DIR: runtime }), 'the same one for the same folder').toBe(there)
  expect(await modeOf(join(there, '..'))).toBe('700')
  const temporary = await socketPath(long, { XDG_RUNTIME_DIR: 'not-absolute' })
  expect(Buffer.byteLength(temporary)).toBeLessThanOrEqual(100)
  expect(await modeOf(join(temporary, '..'))).toBe('700')

  const server = createServer().listen(there)
  await new Promise((resolve) => server.once('listening', resolve))
  server.close()
  for (const it of [there, temporary]) await removeSocket(it)
  expect(await readdir(runtime)).toEqual([])
  await expect(stat(join(temporary, '..'))).rejects.toThrow('ENOENT')
})
