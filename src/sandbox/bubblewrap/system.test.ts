import { lstatSync, readlinkSync } from 'node:fs'
import { expect, it } from 'vitest'
import { systemView } from './system.ts'

it('names what is there, links as links, and of /etc nothing by default', async () => {
  const { readable, links, kernel, hidden } = await systemView()
  expect(readable).toContain('/usr')
  for (const path of [...readable, ...kernel, ...hidden]) expect(lstatSync(path).isSymbolicLink(), path).toBe(false)
  for (const [at, target] of links) expect(readlinkSync(at), at).toBe(target)
})

it.each([
  ['all of it', '/etc'],
  ['passwords', '/etc/shadow'],
  ['users', '/etc/passwd'],
  ['private keys of the machine', '/etc/ssl/private'],
  ['private keys of the machine, beside its certificates', '/etc/ssl'],
  ['keys of ssh', '/etc/ssh'],
  ['settings of package managers', '/etc/npmrc'],
  ['where names are looked up', '/etc/resolv.conf'],
  ['homes', '/home'],
  ['the home of root', '/root'],
  ['sockets of services', '/run'],
  ['data of services', '/var'],
  ['devices', '/dev'],
  ['kernel objects', '/sys'],
])('does not show %s', async (_, path) => {
  const { readable, links } = await systemView()
  const around = [...readable, ...links.keys()].filter((it) => it === path || path.startsWith(`${it}/`))
  expect(around).toEqual([])
})
