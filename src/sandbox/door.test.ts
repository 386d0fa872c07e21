import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import { temporaryFolder } from '../../test/support/folder.ts'
import type { Launch } from '../process/port.ts'
import { type Door, throughDoor } from './door.ts'
import type { Profile, WayOut } from './port.ts'

const INSTALL: Extract<Profile, { kind: 'install' }> = { kind: 'install', hosts: [{ host: 'packages.test', port: 443, own: false }] }

const LAUNCH: Launch = {
  argv: ['true'],
  cwd: '/',
  env: {},
  descriptors: [],
  diesWhole: false,
  started: () => undefined,
  end: () => Promise.resolve({ usage: null, breach: null, failure: 'as it ended' }),
}

it('opens no way out for a program that has none', async () => {
  const folder = temporaryFolder()
  const doors: (Door | null)[] = []
  await throughDoor({ folder, env: {} }, { kind: 'run' }, (door) => {
    doors.push(door)
    return Promise.resolve(LAUNCH)
  })
  expect(doors).toEqual([null])
  expect(readdirSync(folder)).toEqual([])
})

it('shows a program the socket and the bridge, and takes them away when it has ended', async () => {
  const folder = temporaryFolder()
  let sockets: string[] = []
  const launch = await throughDoor({ folder, env: {} }, INSTALL, (door) => {
    sockets = [...(door?.shown ?? [])].filter(([at]) => at.endsWith('.sock')).map(([, file]) => file)
    expect(door?.words.join(' ')).toContain('/run/reeve/bridge.mjs /run/reeve/out.sock')
    return Promise.resolve(LAUNCH)
  })
  expect(sockets.map((it) => existsSync(it))).toEqual([true])
  expect(await launch.end()).toMatchObject({ failure: 'as it ended' })
  expect(readdirSync(folder)).toEqual([])
})

it("shows servers of reeve's own, and has no proxy where there are no hosts", async () => {
  const folder = temporaryFolder()
  const services = [
    { port: 20_001, socketPath: '/a/s' },
    { port: 20_002, socketPath: '/b/s' },
  ]
  const doors: Door[] = []
  const open = async (hosts: WayOut['hosts']) =>
    await throughDoor({ folder, env: {} }, { kind: 'agent', secrets: {}, hosts, services }, (door) => {
      if (door) doors.push(door)
      return Promise.resolve(LAUNCH)
    })
  await (await open([])).end()
  expect(doors[0]?.words.slice(2)).toEqual(
    '- localhost,127.0.0.1,::1 2 20001 /run/reeve/service-0.sock 20002 /run/reeve/service-1.sock'.split(' '),
  )
  expect([...(doors[0]?.shown.values() ?? [])].slice(1)).toEqual(['/a/s', '/b/s'])
  expect(readdirSync(folder)).toEqual([])

  await (await open(INSTALL.hosts)).end()
  expect([...(doors[1]?.shown.keys() ?? [])].slice(1)).toEqual([
    '/run/reeve/service-0.sock',
    '/run/reeve/service-1.sock',
    '/run/reeve/out.sock',
  ])
})

it('has its socket elsewhere, closed to others, when the path would be too long for one', async () => {
  const folder = join(temporaryFolder(), 'l'.repeat(120))
  let socket = ''
  const launch = await throughDoor({ folder, env: {} }, INSTALL, (door) => {
    socket = door?.shown.get('/run/reeve/out.sock') ?? ''
    return Promise.resolve(LAUNCH)
  })
  expect(statSync(dirname(socket)).mode & 0o777).toBe(0o700)
  expect(existsSync(socket)).toBe(true)
  await launch.end()
  expect(existsSync(dirname(socket))).toBe(false)
})

it('leaves no proxy behind when the program could not be launched', async () => {
  const folder = temporaryFolder()
  const failing = throughDoor({ folder, env: {} }, INSTALL, () => Promise.reject(new Error('no filter')))
  await expect(failing).rejects.toThrow('no filter')
  expect(readdirSync(folder)).toEqual([])
})

it('closes also when looking after the program fails', async () => {
  const folder = temporaryFolder()
  const end = () => Promise.reject(new Error('no peaks'))
  const launch = await throughDoor({ folder, env: {} }, INSTALL, () => Promise.resolve({ ...LAUNCH, end }))
  await expect(launch.end()).rejects.toThrow('no peaks')
  expect(readdirSync(folder)).toEqual([])
})

it('leaves no folder behind when the proxy cannot be had', async () => {
  // A socket's path has a hundred characters or so at the most.
  const folder = join(temporaryFolder(), 'x'.repeat(120))
  mkdirSync(folder)
  vi.stubEnv('TMPDIR', folder)
  onTestFinished(() => void vi.unstubAllEnvs())
  await expect(throughDoor({ folder, env: {} }, INSTALL, () => Promise.resolve(LAUNCH))).rejects.toThrow()
  expect(readdirSync(folder)).toEqual([])
})
